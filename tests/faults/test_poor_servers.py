"""No witness, no pass: what servers without content may pass, rule by rule, with the witness.

may_pass.json has the list for each server of poor_servers.py. A rule that passes and is not listed there, or that
passes with another witness, must be reviewed before it is added.
"""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from faults.poor_servers import SERVERS, Poor
from gonogo.judge import explain, judge
from gonogo.report.model import Report, build
from gonogo.report.terminal import print_report
from gonogo.verdict import Verdict
from ideal.running import record_run
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.rules import Catalogue

MAY_PASS: Mapping[str, Mapping[str, list[str]]] = json.loads(
    Path(__file__).with_name("may_pass.json").read_text()
)
ONE_SCREEN = 64  # lines


def _report(name: str, catalogue: Catalogue) -> Report:
    run = record_run(catalogue, Poor(SERVERS[name]), model="naive", embedding_model="naive")
    record = asyncio.run(run)
    judgements, causes = explain(judge(record, tuple(catalogue), catalogue), record)
    return build(judgements, record, causes=causes)


def _lines(report: Report) -> list[str]:
    text = io.StringIO()
    print_report(report, Console(file=text, width=100))
    return text.getvalue().splitlines()


@pytest.mark.parametrize("name", SERVERS)
def test_a_poor_server_passes_only_rules_with_an_observation(name: str, catalogue: Catalogue) -> None:
    report = _report(name, catalogue)
    passed = {
        judgement.rule.id: sorted({witness.what for witness in judgement.witnesses})
        for judgement in report.judgements
        if judgement.verdict is Verdict.PASS
    }
    assert passed == MAY_PASS[name]
    assert all(passed.values())


@pytest.mark.parametrize("name", ["null", "silent", "echo"])
def test_a_server_with_empty_answers_has_one_cause(name: str, catalogue: Catalogue) -> None:
    report = _report(name, catalogue)
    assert [cause.id for cause in report.causes] == ["empty-answers"]


def test_the_naive_server_fits_on_one_screen_with_its_causes_first(catalogue: Catalogue) -> None:
    report = _report("naive", catalogue)
    assert len(_lines(report)) <= ONE_SCREEN
    broken = {j.rule.id for j in report.judgements if j.verdict in {Verdict.FAIL, Verdict.WARN}}
    assert {rule for cause in report.causes for rule in cause.rules} == broken
    assert [cause.id for cause in report.causes][:3] == ["canned-text", "not-validated", "stream-cut"]
