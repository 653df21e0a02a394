"""A missing surface costs one request, and is one line of the report."""

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


SURFACES = ("responses", "messages")


class Without(IdealTarget):
    """The ideal target without one surface."""

    def __init__(self, surface: str) -> None:
        super().__init__()
        self._surface = f"/{surface}"

    def _answer(self, request: Request, number: int) -> Reply:
        if request.path.startswith(self._surface):
            return json_reply(Refusal("There is nothing here.", status=404).envelope, 404)
        return super()._answer(request, number)


@pytest.fixture(scope="module", params=SURFACES)
def surface(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def record(catalogue: Catalogue, surface: str) -> Record:
    return asyncio.run(record_run(catalogue, Without(surface)))


def test_an_absent_surface_costs_one_request(record: Record, surface: str) -> None:
    asked = [exchange for exchange in record.exchanges if exchange.request.path.startswith(f"/{surface}")]
    assert len(asked) == 1


def test_all_rules_about_it_are_unsupported_for_one_reason(
    record: Record, catalogue: Catalogue, surface: str
) -> None:
    found = judge(record, catalogue.select([surface]), catalogue)
    assert {one.verdict for one in found} == {Verdict.UNSUPPORTED}
    assert {one.because.values["operation"] for one in found if one.because} == {f"POST /{surface}"}


def test_the_report_has_one_line_about_it(record: Record, catalogue: Catalogue, surface: str) -> None:
    judgements = judge(record, tuple(catalogue), catalogue)
    out = io.StringIO()
    print_report(build(judgements, record), Console(file=out, width=200))
    lines = [line for line in out.getvalue().splitlines() if f"/{surface}" in line]
    assert len(lines) == 1
    assert f"the target has no POST /{surface} (404)" in lines[0]
