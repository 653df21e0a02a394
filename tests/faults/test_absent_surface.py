"""A surface that is not there costs one request, and is one line of the report."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

import pytest
from gonogo.judge import judge
from gonogo.report.model import build
from gonogo.report.terminal import print_report
from gonogo.verdict import Verdict
from ideal.refusal import Refusal
from ideal.replies import json_reply
from ideal.running import record_run
from ideal.target import IdealTarget
from rich.console import Console

if TYPE_CHECKING:
    from gonogo.evidence import Record
    from gonogo.exchange import Request
    from gonogo.rules import Catalogue
    from ideal.replies import Reply


class WithoutResponses(IdealTarget):
    """The ideal target, less a surface."""

    def _answer(self, request: Request, number: int) -> Reply:
        if request.path.startswith("/responses"):
            return json_reply(Refusal("There is nothing here.", status=404).envelope, 404)
        return super()._answer(request, number)


@pytest.fixture(scope="module")
def record(catalogue: Catalogue) -> Record:
    return asyncio.run(record_run(catalogue, WithoutResponses()))


def test_an_absent_surface_costs_one_request(record: Record) -> None:
    asked = [exchange for exchange in record.exchanges if exchange.request.path.startswith("/responses")]
    assert len(asked) == 1


def test_all_rules_about_it_are_unsupported_for_one_reason(record: Record, catalogue: Catalogue) -> None:
    found = judge(record, catalogue.select(["responses"]), catalogue)
    assert {one.verdict for one in found} == {Verdict.UNSUPPORTED}
    assert {one.because.values["operation"] for one in found if one.because} == {"POST /responses"}


def test_the_report_has_one_line_about_it(record: Record, catalogue: Catalogue) -> None:
    judgements = judge(record, tuple(catalogue), catalogue)
    out = io.StringIO()
    print_report(build(judgements, record), Console(file=out, width=200))
    lines = [line for line in out.getvalue().splitlines() if "/responses" in line]
    assert len(lines) == 1
    assert "the target has no POST /responses (404)" in lines[0]
