"""A server that shares no code with this project meets the contract, and the suite finds nothing wrong with it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gonogo.collection import Approach
from gonogo.report.wording import message
from gonogo.rules import load
from gonogo.running import Selection, check
from gonogo.verdict import Verdict
from independent import plain_server

if TYPE_CHECKING:
    from gonogo.report.model import Report

HERE = Path(__file__).parent
ENOUGH = 300
"""Rules that must pass: a server that refused everything would raise no alarm either."""
PARTS = sorted(set(HERE.glob("*.py")) - set(HERE.glob("test_*.py")))
"""The modules of the server; the others in the folder are tests."""
LEFT_OPEN = {Verdict.PASS, Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE}


@pytest.fixture(scope="module")
def report() -> Report:
    with plain_server.serving() as base_url:
        return check(Approach(base_url, timeout=30), Selection(), load())


def test_a_server_by_others_that_keeps_the_contract_raises_no_alarm(report: Report) -> None:
    said = {
        judgement.rule.id: message(judgement)
        for judgement in report.judgements
        if judgement.verdict not in LEFT_OPEN
    }
    assert said == {}


def test_most_rules_were_decided_on_it(report: Report) -> None:
    assert sum(judgement.verdict is Verdict.PASS for judgement in report.judgements) >= ENOUGH


def test_undecided_rules_have_a_reason(report: Report) -> None:
    open_ones = [judgement for judgement in report.judgements if judgement.verdict is not Verdict.PASS]
    assert open_ones
    assert [one.rule.id for one in open_ones if one.because is None and not one.actual] == []


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.stem)
def test_the_server_imports_the_standard_library_and_its_own_parts(part: Path) -> None:
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(part.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        )
    }
    assert imported <= {*sys.stdlib_module_names, "independent"}
