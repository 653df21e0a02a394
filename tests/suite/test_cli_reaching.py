"""The options of gonogo check that say how requests reach the target, against servers on loopback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from gonogo import evidence
from gonogo.exchange import header
from gonogo.redaction import REDACTED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Run = Callable[..., Result]

FEW = ("--only", "models.list")
NOWHERE = "http://127.0.0.1:9/v1"


def told(result: Result) -> str:
    """The one line on stderr of a failed command."""
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    return line


class TestHeaders:
    def test_of_a_variable_go_with_every_request_and_stay_out_of_evidence_and_report(
        self, gonogo: Run, reference_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TENANT", "a-tenant-that-nobody-knows")
        stored, report = tmp_path / "e.jsonl", tmp_path / "r.json"
        options = ("--header-env", "X-Tenant=TENANT", "--header", "X-Title=a check")
        result = gonogo("check", reference_url, *FEW, *options, "--evidence", stored, "--json", report)
        sent = [exchange.request.headers for exchange in evidence.read(stored).exchanges]

        assert result.exit_code == 0
        assert {header(headers, "x-tenant") for headers in sent} == {REDACTED}
        assert {header(headers, "x-title") for headers in sent} == {"a check"}
        assert b"nobody-knows" not in stored.read_bytes() + report.read_bytes()
        command = json.loads(report.read_bytes())["rules"][0]["curl"]
        assert command.endswith("-H 'x-title: a check' -H \"x-tenant: $X_TENANT\"")

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            (("--header", "api-key: s3cret"), "--header lacks the name of the header; write it as "),
            (
                ("--header", "s3cret"),
                "--header lacks the name of the header; write it as NAME=VALUE",
            ),
            (
                ("--header", "=s3cret"),
                "--header lacks the name of the header; write it as NAME=VALUE",
            ),
            (
                ("--header", "Host=s3cret"),
                "--header Host: gonogo sets this header itself; remove the option.",
            ),
            (
                ("--header", "a=s3cret\r\nb: c"),
                "The value of the header a must be printable",
            ),
            (
                ("--header", "a=s3crét"),
                "The value of the header a must be printable ASCII.",
            ),
            (
                ("--header", "a=s3cret", "--header", "A=b"),
                "The header A is given twice; remove one of them.",
            ),
            (
                ("--header-env", "a"),
                "--header-env lacks the name of the header; write it as NAME=VAR",
            ),
            (("--header-env", "a=NO_SUCH"), "--header-env a: the variable NO_SUCH is not set or empty."),
        ],
    )
    def test_that_cannot_be_sent_are_one_sentence_which_tells_no_value(
        self, gonogo: Run, options: tuple[str, ...], sentence: str
    ) -> None:
        line = told(gonogo("check", NOWHERE, *FEW, *options))
        assert line.startswith(sentence)
        assert "s3cr" not in line


class TestTheQueryOfTheBaseUrl:
    def test_goes_with_every_request_and_a_key_in_it_is_not_shown(
        self, gonogo: Run, reference_url: str, tmp_path: Path
    ) -> None:
        stored, report = tmp_path / "e.jsonl", tmp_path / "r.json"
        url = f"{reference_url}?api-version=1&api-key=s3cret"
        result = gonogo("check", url, *FEW, "--evidence", stored, "--json", report)
        again = gonogo("check", url, *FEW, "--evidence", stored, "--resume")
        document = json.loads(report.read_bytes())
        shown = f"{reference_url}?api-version=1&api-key={REDACTED}"

        assert (result.exit_code, again.exit_code) == (0, 0), again.stderr
        assert document["target"]["base_url"] == shown
        assert f"{reference_url}/models?api-version=1&api-key={REDACTED}" in document["rules"][0]["curl"]
        assert b"s3cret" not in stored.read_bytes() + report.read_bytes()
        assert "s3cret" not in result.stdout + result.stderr + again.stdout


class TestTls:
    def test_that_is_not_verified_is_reported_once(self, gonogo: Run, reference_url: str) -> None:
        result = gonogo("check", reference_url, *FEW, "--insecure")
        assert result.exit_code == 0
        assert result.stderr == (
            "The target's certificate is not verified (--insecure): any server may be answering.\n"
        )

    def test_with_a_file_that_is_none_is_one_sentence(self, gonogo: Run, tmp_path: Path) -> None:
        line = told(gonogo("check", NOWHERE, *FEW, "--ca-file", tmp_path / "none.pem"))
        assert line.endswith("none.pem: No such file or directory.")

    def test_with_both_options_is_one_sentence(self, gonogo: Run, tmp_path: Path) -> None:
        line = told(gonogo("check", NOWHERE, *FEW, "--insecure", "--ca-file", tmp_path / "x.pem"))
        assert line == "--ca-file and --insecure exclude each other; remove one of them."


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ("--rate-limit", "2/h"),
            '--rate-limit "2/h" is not a rate; give requests per second or per minute, such as 2/s or 90/m.',
        ),
        (("-x", "--max-failures", "2"), "-x means --max-failures 1; remove one of them."),
    ],
)
def test_options_that_cannot_be_obeyed_are_one_sentence(
    gonogo: Run, options: tuple[str, ...], sentence: str
) -> None:
    assert told(gonogo("check", NOWHERE, *FEW, *options)) == sentence


@pytest.mark.parametrize(
    "options",
    [("--max-failures", "0"), ("--max-seconds", "0"), ("--context-length", "0"), ("--max-seconds", "nan")],
)
def test_numbers_out_of_range_are_refused(gonogo: Run, options: tuple[str, ...]) -> None:
    result = gonogo("check", NOWHERE, *FEW, *options)
    assert result.exit_code == 2
    assert options[0] in result.stderr


def test_a_limit_of_rate_is_kept(gonogo: Run, reference_url: str) -> None:
    assert gonogo("check", reference_url, *FEW, "--rate-limit", "100/s", "-x").exit_code == 0


def test_a_report_is_replaced_by_the_next_one_and_kept_if_the_target_cannot_be_reached(
    gonogo: Run, reference_url: str, tmp_path: Path
) -> None:
    report = tmp_path / "r.json"
    report.write_text("an earlier report " * 100_000)
    gonogo("check", reference_url, *FEW, "--json", report)
    written = report.read_bytes()
    assert json.loads(written)["rules"]

    assert "Could not connect" in told(gonogo("check", NOWHERE, "--json", report))
    assert report.read_bytes() == written
