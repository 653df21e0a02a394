"""A target with three independent faults: its report fits on one screen."""

from __future__ import annotations

import asyncio
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from gonogo import running
from gonogo.faults.sections import FAULTS
from gonogo.report.terminal import Detail, print_report
from gonogo.rules import load
from gonogo.running import Selection
from gonogo.verdict import Verdict
from ideal.running import record_run
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from gonogo.evidence import Record
    from gonogo.report.model import Report

    Part = Callable[[], AbstractContextManager[None]]

SCREEN = 60  # lines
BROKEN = {Verdict.FAIL, Verdict.WARN}
TRIPLES = [
    ("chunks without an id", "the error as detail", "embeddings with another total"),
    ("chat answers without choices", "embeddings that are not a list", "lines that end in CR LF"),
    ("one chat stream of several without [DONE]", "the list of models without object", "every text offset 0"),
]
"""The last of each is a warning."""


@pytest.fixture(scope="module")
def clean() -> Record:
    """All requests of the rules, answered by the ideal target."""
    return asyncio.run(record_run(load()))


@pytest.fixture(scope="module", params=TRIPLES, ids=" + ".join)
def triple(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The names of three faults."""
    names: tuple[str, ...] = request.param
    return names


@pytest.fixture(scope="module")
def report(clean: Record, triple: tuple[str, ...], unmeasured_part: Part) -> Report:
    """The report on the ideal target with these faults at the same time."""
    known = {fault.name: fault for fault in FAULTS}
    record = clean
    for name in triple:
        record = known[name].change(record)
    with unmeasured_part():
        return running.judge_again([record], Selection(), load())


def lines_of(report: Report, detail: Detail) -> list[str]:
    file = StringIO()
    print_report(report, Console(file=file, force_terminal=True, width=100, color_system=None), detail)
    return file.getvalue().splitlines()


def broken_in(report: Report) -> set[str]:
    return {judgement.rule.id for judgement in report.judgements if judgement.verdict in BROKEN}


def test_each_fault_is_found_and_no_rule_is_broken_without_a_cause(
    report: Report, triple: tuple[str, ...]
) -> None:
    expected = {rule for fault in FAULTS if fault.name in triple for rule in fault.turns}

    assert expected <= broken_in(report)
    assert [rule for cause in report.causes for rule in cause.rules] == list(
        dict.fromkeys(rule for cause in report.causes for rule in cause.rules)
    )
    assert {rule for cause in report.causes for rule in cause.rules} == broken_in(report)


def test_the_report_is_one_screen_with_the_verdict_last_and_failures_after_warnings(report: Report) -> None:
    lines = lines_of(report, Detail.SCREEN)
    warned = [number for number, line in enumerate(lines) if line.startswith("WARN  ")]
    failed = [number for number, line in enumerate(lines) if line.startswith("FAIL  ")]

    assert len(lines) <= SCREEN
    assert lines[-1].startswith("NO-GO  ")
    assert warned
    assert failed
    assert all(warning < failure for warning in warned for failure in failed)


def test_every_cause_is_on_the_screen_by_its_title(report: Report) -> None:
    text = "\n".join(lines_of(report, Detail.SCREEN))

    assert len(report.causes) >= 3
    assert all(cause.title in text for cause in report.causes)


def test_verbose_names_every_broken_rule_and_ends_in_the_same_order(report: Report) -> None:
    lines = lines_of(report, Detail.ALL)
    heads = [line.split()[0] for line in lines if line.startswith(("WARN  ", "FAIL  "))]
    named = {word.rstrip(",;") for line in lines if line.startswith("  ") for word in line.split()}

    assert broken_in(report) <= named
    assert heads == sorted(heads, key=["WARN", "FAIL"].index)
    assert len(heads) == len(report.causes)
    assert lines[-1] == lines_of(report, Detail.SCREEN)[-1]


def test_quiet_is_the_verdict_alone(report: Report) -> None:
    assert lines_of(report, Detail.QUIET) == lines_of(report, Detail.SCREEN)[-1:]
