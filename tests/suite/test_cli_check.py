"""gonogo check and gonogo judge from end to end, against servers on loopback."""

from __future__ import annotations

import functools
import json
import re
import socket
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest
from gonogo import evidence, serving
from gonogo.exchange import Chunk
from gonogo.locking import OTHERS, alone
from gonogo.report.json import schema
from gonogo.rules import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result
    from suite.conftest import Checked

    Run = Callable[..., Result]

FEW = ("--only", "models", "--only", "chat.stream.done")  # enough for the whole way, and quick


def _without_done(source: Path, target: Path) -> None:
    """The same evidence without the terminator of each stream."""
    record = evidence.read(source)
    cut = [
        replace(exchange, chunks=(Chunk(0.1, exchange.body.replace(b"data: [DONE]\n\n", b"")),))
        for exchange in record.exchanges
    ]
    evidence.write(target, replace(record, exchanges=tuple(cut)))


def test_the_reference_server_passes_what_it_does_not_refuse(whole_run: Checked) -> None:
    result, report = whole_run.result, whole_run.report
    last = result.stdout.splitlines()[-1]
    totals = re.fullmatch(r"GO  0 failed, (\d+) passed, (\d+) unsupported, (6) inconclusive; .*", last)
    rules = json.loads(report.read_bytes())["rules"]

    assert result.exit_code == 0, result.stdout
    assert totals, last
    # It does not reason, so that the rule about its reasoning does not apply.
    unapplied = [rule["id"] for rule in rules if rule["verdict"] == "not-applicable"]
    assert unapplied == ["responses.reasoning.summary"]
    assert sum(map(int, totals.groups())) == len(load()) - len(unapplied)
    # The scripted model has no date and ignores the temperature; its text has no multi-byte characters, and its answers
    # call one tool.
    assert {rule["id"]: rule["reason"] for rule in rules if rule["verdict"] == "inconclusive"} == {
        "models.entry.seconds": "nothing-seen",
        "responses.stream.reasoning_added": "nothing-seen",
        "sampling.effect.temperature": "too-sure",
        "text.characters": "all-ascii",
        "tools.stream.arguments_of_two": "nothing-seen",
        "tools.stream.own_index": "one-call",
    }
    assert all(rule["witnesses"] for rule in rules if rule["verdict"] == "pass")
    assert result.stderr == ""


def test_stored_evidence_is_judged_the_same_without_a_target(
    gonogo: Run, whole_run: Checked, tmp_path: Path
) -> None:
    second = tmp_path / "second.json"
    judged = gonogo("judge", whole_run.evidence, "--json", second)
    once, again = (json.loads(path.read_bytes()) for path in (whole_run.report, second))

    assert (whole_run.result.exit_code, judged.exit_code) == (0, 0)
    assert once.pop("seconds") > 0
    assert again.pop("seconds") is None
    assert once == again


def test_a_deviation_in_the_evidence_is_a_no_go_with_its_bytes_and_a_command(
    gonogo: Run, reference_url: str, tmp_path: Path
) -> None:
    stored, broken = tmp_path / "e.jsonl", tmp_path / "broken.jsonl"
    gonogo("check", reference_url, *FEW, "--evidence", stored)
    _without_done(stored, broken)
    result = gonogo("judge", broken, *FEW)

    assert result.exit_code == 1
    assert result.stdout.count("\nFAIL  ") == 1
    assert "\n  rules     chat.stream.done" in result.stdout
    assert "\n  evidence  x" in result.stdout
    assert f"\n  repeat it curl -sS -i -N {reference_url}/chat/completions " in result.stdout
    assert result.stdout.splitlines()[-1].startswith("NO-GO  1 failed, ")


class TestHowMuchIsPrinted:
    @pytest.mark.parametrize("option", ["-q", "--quiet"])
    def test_quiet_is_the_verdict_alone(self, gonogo: Run, broken_evidence: Path, option: str) -> None:
        plain, result = (gonogo("judge", broken_evidence, *FEW, *more) for more in ([], [option]))

        assert result.exit_code == plain.exit_code == 1
        assert result.stdout.splitlines() == plain.stdout.splitlines()[-1:]
        assert result.stdout.startswith("NO-GO  1 failed, ")

    def test_quiet_says_what_breaks_the_gate_beside_rules(
        self, gonogo: Run, clean_evidence: Path, tmp_path: Path
    ) -> None:
        listed = tmp_path / "b.toml"
        listed.write_text('"chat.stream.done" = { reason = "r" }')
        result = gonogo("judge", clean_evidence, *FEW, "--baseline", listed, "--quiet")
        told, verdict = result.stdout.splitlines()

        assert told == f"{listed}, line 1: chat.stream.done passes now; delete the line."
        assert verdict.startswith("NO-GO  0 failed, ")

    @pytest.mark.parametrize("option", ["-v", "--verbose"])
    def test_verbose_names_the_rules_that_were_left_open(
        self, gonogo: Run, broken_evidence: Path, option: str
    ) -> None:
        plain, result = (gonogo("judge", broken_evidence, *FEW, *more) for more in ([], [option]))
        head = next(line for line in result.stdout.splitlines() if line.startswith("group "))
        rules = [line for line in result.stdout.splitlines() if line.startswith("  models.")]

        assert head
        assert len(rules) == int(re.findall(r", (\d+) inconclusive", result.stdout)[0])
        assert not [line for line in plain.stdout.splitlines() if line.startswith("  models.")]
        assert result.stdout.splitlines()[-1] == plain.stdout.splitlines()[-1]

    def test_check_takes_both_options_too(self, gonogo: Run, reference_url: str) -> None:
        quiet = gonogo("check", reference_url, *FEW, "--quiet")
        verbose = gonogo("check", reference_url, *FEW, "--verbose")

        assert (quiet.exit_code, verbose.exit_code) == (0, 0)
        assert [line[:4] for line in quiet.stdout.splitlines()] == ["GO  "]
        assert "\nmodels.list " in verbose.stdout

    def test_quiet_with_a_report_on_stdout_is_the_verdict_on_stderr(
        self, gonogo: Run, broken_evidence: Path
    ) -> None:
        result = gonogo("judge", broken_evidence, *FEW, "--json", "-", "--quiet")

        assert json.loads(result.stdout)["verdict"] == "no-go"
        assert [line[:7] for line in result.stderr.splitlines()] == ["NO-GO  "]

    @pytest.mark.parametrize("command", ["check", "judge"])
    def test_verbose_and_quiet_together_are_one_sentence(
        self, gonogo: Run, tmp_path: Path, command: str
    ) -> None:
        result = gonogo(command, tmp_path / "none.jsonl", "--verbose", "--quiet")

        assert one_sentence(result) == "--verbose and --quiet exclude each other; remove one of them."


def test_json_and_junit_are_written_where_they_are_asked_for(
    gonogo: Run, reference_url: str, tmp_path: Path
) -> None:
    as_json, as_xml = tmp_path / "r.json", tmp_path / "r.xml"
    gonogo("check", reference_url, *FEW, "--json", as_json, "--junit", as_xml)
    document = json.loads(as_json.read_bytes())
    root = ET.fromstring(as_xml.read_bytes())

    jsonschema_rs.validate(schema(), document)
    assert document["verdict"] == "go"
    assert document["target"] == {"base_url": reference_url, "model": "scripted", "embedding_model": None}
    assert root.get("tests") == str(len(document["rules"]))


def test_a_report_on_stdout_moves_the_text_to_stderr(gonogo: Run, reference_url: str) -> None:
    result = gonogo("check", reference_url + "/", *FEW, "--json", "-")

    assert json.loads(result.stdout)["verdict"] == "go"
    assert result.stderr.splitlines()[-1].startswith("GO  ")


def test_sarif_and_markdown_are_written_where_they_are_asked_for(
    gonogo: Run, broken_evidence: Path, tmp_path: Path
) -> None:
    as_sarif = tmp_path / "r.sarif"
    result = gonogo("judge", broken_evidence, *FEW, "--sarif", as_sarif, "--markdown", "-")
    (run,) = json.loads(as_sarif.read_bytes())["runs"]

    assert [found["ruleId"] for found in run["results"]] == ["chat.stream.done"]
    assert result.stdout.startswith("## gonogo: NO-GO\n")
    assert result.stderr.splitlines()[-1].startswith("NO-GO  ")


def test_the_page_is_written_where_it_is_asked_for(
    gonogo: Run, broken_evidence: Path, tmp_path: Path
) -> None:
    page = tmp_path / "r.html"
    result = gonogo("judge", broken_evidence, *FEW, "--html", page)

    assert result.stdout.splitlines()[-1].startswith("NO-GO  ")
    assert 'href="#chat.stream.done"' in page.read_text(encoding="utf-8")


def test_on_github_the_summary_of_the_step_is_added_to(
    gonogo: Run, reference_url: str, broken_evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("of an earlier step\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    gonogo("check", reference_url, "--only", "models")
    gonogo("judge", broken_evidence, *FEW)
    lines = summary.read_text().splitlines()

    assert lines[0] == "of an earlier step"
    assert [line for line in lines if line.startswith("## ")] == ["## gonogo: GO", "## gonogo: NO-GO"]


def test_a_summary_that_cannot_be_written_is_one_sentence(
    gonogo: Run, clean_evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))

    assert one_sentence(gonogo("judge", clean_evidence, *FEW)) == f"Cannot write {tmp_path}: Is a directory."


def test_without_a_url_the_reference_server_is_started_checked_and_stopped(
    gonogo: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted = functools.partial(serving.reference_server, engine="scripted")
    monkeypatch.setattr(serving, "reference_server", scripted)  # without loading a model
    report = tmp_path / "r.json"
    result = gonogo("check", "--model", "scripted", *FEW, "--json", report)
    target = json.loads(report.read_bytes())["target"]

    assert (result.exit_code, result.stderr) == (0, "")
    assert target["model"] == "scripted"
    assert one_sentence(gonogo("check", target["base_url"])).startswith("Could not connect to")


def test_a_plan_names_requests_and_the_worst_case_and_sends_nothing(gonogo: Run) -> None:
    result = gonogo("check", "http://127.0.0.1:1/v1", "--plan", "--only", "chat.stream.done")

    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].split() == [
        "harmless", "8", "tokens", "POST", "/chat/completions", '{"stream":true}',
    ]  # fmt: skip
    assert "1 requests, at most 8 generated tokens" in result.stdout


@pytest.mark.parametrize("variable", ["GONOGO_API_KEY", "OPENAI_API_KEY"])
def test_the_key_of_the_environment_is_sent_and_never_written(
    gonogo: Run, reference_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    stored, report = tmp_path / "e.jsonl", tmp_path / "r.json"
    monkeypatch.setenv(variable, "a-key-of-more-than-sixteen-letters")
    result = gonogo("check", reference_url, *FEW, "--evidence", stored, "--json", report)
    written = stored.read_text() + report.read_text() + result.output

    assert result.exit_code == 0
    assert "a-key-of-more" not in written
    assert '["authorization","[redacted]"]' in stored.read_text()
    assert "$GONOGO_API_KEY" not in written.replace("${GONOGO_API_KEY:-$OPENAI_API_KEY}", "")


def one_sentence(result: Result) -> str:
    """The line on stderr; the test fails if it is more than one line, or if the status is not 2."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    return result.stderr.strip()


def test_a_refused_connection_is_one_sentence(gonogo: Run) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound and not listening: refuses, and no other process takes the port
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"

        assert one_sentence(gonogo("check", url)).startswith(
            f"Could not connect to {url}: Connection refused"
        )


def test_a_server_that_never_answers_is_one_sentence_within_the_timeout(gonogo: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        said = one_sentence(gonogo("check", url, "--timeout", "0.2"))

    assert "no complete answer within 0.2 s" in said
    assert "--timeout" in said


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>",
            "is a web page, not an API",
        ),
        (
            b"HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
            "it needs an API key; set GONOGO_API_KEY",
        ),
        (b"220 mail.example ESMTP\r\n\r\n", "does not speak HTTP"),
        (b"", "closed the connection before its first answer"),
    ],
)
def test_a_target_that_is_not_an_api_is_one_sentence(
    gonogo: Run, answering: Callable[[bytes], str], answer: bytes, said: str
) -> None:
    assert said in one_sentence(gonogo("check", answering(answer)))


def test_a_wrong_key_is_one_sentence_that_names_the_variables(
    gonogo: Run, answering: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GONOGO_API_KEY", "wrong")
    url = answering(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")

    assert "rejects the key in GONOGO_API_KEY" in one_sentence(gonogo("check", url))


def test_a_model_that_is_not_served_is_one_sentence_with_those_that_are(
    gonogo: Run, reference_url: str
) -> None:
    said = one_sentence(gonogo("check", reference_url, "--model", "other"))

    assert said == 'The target does not serve the model "other"; it lists scripted.'


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["localhost:8000/v1"],
            '"localhost:8000/v1" is not a base URL; give one like http://127.0.0.1:8000/v1.',
        ),
        (["ftp://127.0.0.1/v1"], "is not a base URL"),
        (["http://127.0.0.1:99999/v1"], "has port 99999; a port must be between 1 and 65535."),
        (["http://me:secret@127.0.0.1/v1"], "set GONOGO_API_KEY instead"),
        (["--only", "no.such"], 'There is no rule or group "no.such"'),
        (["--only", "models", "--skip", "models"], "--only and --skip leave no rule to judge."),
        (["--only", "models", "--require", "chat"], '--require names "chat", but'),
        (["--json", "-", "--junit", "-"], "Only one report can go to stdout"),
        (["--json", "/no-such-folder/r.json"], "Cannot write /no-such-folder/r.json: No such file"),
        (["--evidence", "/"], "Cannot write /: Is a directory."),
    ],
)
def test_an_option_that_cannot_be_obeyed_is_one_sentence(
    gonogo: Run, arguments: list[str], said: str
) -> None:
    url = [] if "://" in arguments[0] or ":" in arguments[0] else ["http://127.0.0.1:1/v1"]

    assert said in one_sentence(gonogo("check", *url, *arguments))


def test_evidence_that_another_run_writes_is_one_sentence_and_stays(
    gonogo: Run, reference_url: str, tmp_path: Path
) -> None:
    stored = tmp_path / "e.jsonl"
    with stored.open("w") as file:
        file.write("of another run\n")
        file.flush()
        assert alone(file)
        for more in ((), ("--resume",)):
            said = one_sentence(gonogo("check", reference_url, *FEW, "--evidence", stored, *more))
            assert said == f"{stored} {OTHERS}."
    assert stored.read_text() == "of another run\n"


def test_evidence_that_can_be_opened_but_not_written_is_one_sentence(gonogo: Run, reference_url: str) -> None:
    said = one_sentence(gonogo("check", reference_url, *FEW, "--evidence", "/dev/full"))

    assert said == "Cannot write the evidence file /dev/full: No space left on device."
