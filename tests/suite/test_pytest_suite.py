"""The rules run by pytest: `pytest -p gonogo.suite.options --pyargs gonogo.suite`."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from gonogo import serving
from gonogo.evidence import Record, Target, read, read_each, write
from gonogo.judge import judge
from gonogo.rules import load
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gonogo.exchange import Exchange
    from suite.conftest import Checked

MEASURED = pytest.mark.usefixtures("measured_processes")
"""One test for each path through the suite's conftest: measuring takes a second of a process that takes one."""

QUIET = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly")
SUITE = ("-p", "gonogo.suite.options", "--pyargs", "gonogo.suite", *QUIET)


def suite(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the suite outside this project, so that none of its settings apply."""
    return bare(folder, *SUITE, *arguments)


def bare(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with pytest-bdd alone of the installed plugins: importing the others takes as long as the suite."""
    return pytest_in(folder, "-p", "pytest_bdd.plugin", *arguments, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")


def pytest_in(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", *arguments]
    inherited = {name: value for name, value in os.environ.items() if not name.endswith("API_KEY")}
    environment = inherited | variables
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def evidence(whole_run: Checked) -> Path:
    """The evidence of `gonogo check` on the reference server."""
    return whole_run.evidence


def damaged(evidence: Path, folder: Path, damage: Callable[[Exchange], Exchange]) -> Path:
    """The same evidence with every exchange changed."""
    record = read(evidence)
    file = folder / "damaged.jsonl"
    write(file, dataclasses.replace(record, exchanges=tuple(damage(x) for x in record.exchanges)))
    return file


def counts(evidence: Path) -> Counter[Verdict]:
    """The judge's verdicts on the same evidence."""
    return Counter(judgement.verdict for judgement in judge(read(evidence), load().scenarios, load()))


def test_the_rules_that_are_chosen_are_tests_of_a_live_target(tmp_path: Path, reference_url: str) -> None:
    """With all installed plugins, as users run it."""
    chosen = ("-k", "model_is_listed or model_list_is_answered")
    done = pytest_in(tmp_path, *SUITE, "--gonogo-url", reference_url, *chosen)
    assert "2 passed" in done.stdout, done.stdout
    assert done.returncode == 0


@MEASURED
def test_a_run_is_recorded_with_its_extra_fields_and_gone_on_with(tmp_path: Path, reference_url: str) -> None:
    stored = tmp_path / "e.jsonl"
    target = ("--gonogo-url", reference_url, "--gonogo-evidence", str(stored))
    extra = ("--gonogo-extra-body", '{"user": "gonogo-pytest"}')
    first = suite(tmp_path, *target, *extra, "-k", "object_of_a_chat_completion")
    before = read(stored)
    second = suite(
        tmp_path,
        *target,
        *extra,
        "--gonogo-resume",
        "-k",
        "object_of_a_chat or object_of_a_completion",
    )
    after = read(stored)
    sent = [e for e in after.exchanges[len(before.exchanges) :] if not e.stimulus.startswith("greeting")]

    assert (first.returncode, second.returncode) == (0, 0), first.stdout + second.stdout
    assert before.extra_body == after.extra_body == {"user": "gonogo-pytest"}
    assert [e.id for e in after.exchanges[: len(before.exchanges)]] == [e.id for e in before.exchanges]
    assert sent
    assert all(b'"user": "gonogo-pytest"' in exchange.request.body for exchange in sent)
    assert not {e.stimulus for e in sent} & {e.stimulus for e in before.exchanges}


def test_a_run_goes_on_with_the_extra_fields_of_its_file_only(tmp_path: Path) -> None:
    stored = tmp_path / "e.jsonl"
    url = "http://127.0.0.1:1/v1"  # nothing is sent there
    write(stored, Record(Target(url, "m"), "2026", ()))
    held = stored.read_bytes()
    extra = ("--gonogo-extra-body", '{"think": false}')
    done = suite(tmp_path, "--gonogo-url", url, "--gonogo-evidence", str(stored), "--gonogo-resume", *extra)

    assert done.returncode == 2
    sentence = "--gonogo-resume needs the same --gonogo-extra-body as the evidence file."
    assert sentence in done.stdout + done.stderr
    assert stored.read_bytes() == held


def test_several_models_are_judged_together(tmp_path: Path) -> None:
    with serving.started(["--engine", "scripted", "--model", "one", "--model", "two"]) as url:
        models = ("--gonogo-model", "one", "--gonogo-model", "two")
        stored = tmp_path / "e.jsonl"
        options = ("--gonogo-evidence", str(stored), "--gonogo-only", "chat.stream.done")
        done = suite(tmp_path, "--gonogo-url", url, *models, *options)
    first, second = read_each(stored)
    without = [dataclasses.replace(e, chunks=e.chunks[:-1]) if e.is_stream else e for e in second.exchanges]
    write(stored, first, dataclasses.replace(second, exchanges=tuple(without)))
    again = suite(tmp_path, *options)

    assert "1 passed" in done.stdout, done.stdout
    assert again.returncode == 1
    assert "models    two of 2 models" in again.stdout


def test_a_recorded_run_is_judged_like_gonogo_judge_does(tmp_path: Path, evidence: Path) -> None:
    done = suite(tmp_path, "--gonogo-evidence", str(evidence))
    verdicts = counts(evidence)
    left_open = (Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE)
    skipped = sum(verdicts[verdict] for verdict in left_open)
    assert f"{verdicts[Verdict.PASS]} passed, {skipped} skipped" in done.stdout, done.stdout
    assert verdicts[Verdict.FAIL] == 0


@MEASURED
def test_a_broken_must_fails_its_test_with_the_expected_value_and_the_reason(
    tmp_path: Path, evidence: Path
) -> None:
    def without_done(exchange: Exchange) -> Exchange:
        chunks = tuple(c for c in exchange.chunks if b"[DONE]" not in c.data)
        return dataclasses.replace(exchange, chunks=chunks)

    done = suite(
        tmp_path,
        "--gonogo-evidence",
        str(damaged(evidence, tmp_path, without_done)),
        "-k",
        "ends_with_exactly_one",
    )
    assert done.returncode == 1
    assert "FAIL  chat.stream.done\n" in done.stdout
    assert re.search(r'^ +expected +"data: \[DONE\]" as the last event$', done.stdout, re.MULTILINE)
    assert re.search(r"^ +breaks +clients wait while the connection stays open", done.stdout, re.MULTILINE)


@MEASURED
def test_a_broken_should_is_a_warning(tmp_path: Path, evidence: Path) -> None:
    def without_space(exchange: Exchange) -> Exchange:
        chunks = tuple(
            dataclasses.replace(c, data=c.data.replace(b"data: ", b"data:")) for c in exchange.chunks
        )
        return dataclasses.replace(exchange, chunks=chunks)

    done = suite(
        tmp_path,
        "--gonogo-evidence",
        str(damaged(evidence, tmp_path, without_space)),
        "-k",
        "a_space_follows",
    )
    assert done.returncode == 0
    assert "ShouldWarning" in done.stdout
    assert "WARN  stream.space\n" in done.stdout


@MEASURED
def test_a_refused_feature_is_skipped_with_its_reason(tmp_path: Path, evidence: Path) -> None:
    def refused(exchange: Exchange) -> Exchange:
        return (
            dataclasses.replace(exchange, status=404) if exchange.request.path == "/completions" else exchange
        )

    file = damaged(evidence, tmp_path, refused)
    done = suite(tmp_path, "--gonogo-evidence", str(file), "-rs", "-k", "object_of_a_completion")
    assert done.returncode == 0
    assert "unsupported: the target has no POST /completions (404)" in done.stdout


def test_levels_select(tmp_path: Path, evidence: Path) -> None:
    done = suite(tmp_path, "--gonogo-evidence", str(evidence), "-m", "may")
    optional = [scenario for scenario in load() if scenario.rule.level == "may"]
    verdicts = Counter(found.verdict for found in judge(read(evidence), optional, load()))
    assert verdicts.keys() == {Verdict.PASS, Verdict.UNSUPPORTED}
    told = f"{verdicts[Verdict.PASS]} passed, {verdicts[Verdict.UNSUPPORTED]} skipped"
    assert told in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("choice", "ids"),
    [
        (("-k", "chat.stream.done"), ["chat.stream.done"]),
        (
            ("--gonogo-only", "models.list", "--gonogo-only", "chat.stream.done"),
            ["models.list", "chat.stream.done"],
        ),
    ],
)
def test_ids_select(tmp_path: Path, evidence: Path, choice: tuple[str, ...], ids: list[str]) -> None:
    done = suite(tmp_path, "--gonogo-evidence", str(evidence), *choice)
    chosen = load().select(ids)
    assert f"{len(chosen)} passed, {len(load()) - len(chosen)} deselected" in done.stdout, done.stdout


@MEASURED
def test_tests_that_are_no_rules_stay(tmp_path: Path, evidence: Path) -> None:
    (tmp_path / "test_own.py").write_text("def test_it_runs(): ...")
    chosen = ("--gonogo-evidence", str(evidence), "--gonogo-only", "chat.stream.done")
    done = suite(tmp_path, "test_own.py", *chosen)
    assert "2 passed" in done.stdout, done.stdout


@MEASURED
def test_without_its_options_the_suite_says_how_it_is_run(tmp_path: Path) -> None:
    done = bare(tmp_path, "--pyargs", "gonogo.suite", *QUIET)
    assert done.returncode == 2
    assert (
        "pytest -p gonogo.suite.options --pyargs gonogo.suite --gonogo-url URL" in done.stdout + done.stderr
    )
    assert "Traceback" not in done.stdout + done.stderr


def test_a_pytest_run_with_gonogo_installed_loads_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "import sys\ndef test_it(): assert not any(name.startswith('gonogo') for name in sys.modules)"
    )
    done = pytest_in(tmp_path, *QUIET)
    assert "1 passed" in done.stdout, done.stdout


def expect_one_sentence(done: subprocess.CompletedProcess[str], sentence: str) -> None:
    assert done.returncode == 2
    assert sentence in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@MEASURED
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Give the target with --gonogo-url"),
        (("--gonogo-only", "chat.steam"), 'There is no rule or group "chat.steam"; did you mean chat.stream'),
        (
            ("--gonogo-resume",),
            "give its evidence file with --gonogo-evidence and its target with --gonogo-url",
        ),
    ],
)
def test_a_run_that_cannot_be_judged_is_one_sentence_and_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    expect_one_sentence(suite(tmp_path, *arguments), sentence)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--gonogo-url", "ftp://nowhere"), "http://"),
        (("--gonogo-evidence", "no-such-file.jsonl"), "no-such-file.jsonl"),
        (
            ("--gonogo-url", "http://h", "--gonogo-extra-body", "[]"),
            "--gonogo-extra-body is not a JSON object",
        ),
    ],
)
def test_a_value_that_no_option_takes_is_one_sentence_and_exit_code_2(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    expect_one_sentence(suite(tmp_path, *arguments), sentence)
