"""The report as JSON (version 1), for programs; `report.schema.json` beside this file describes it."""

from __future__ import annotations

import functools
import json
from dataclasses import asdict
from importlib import resources
from typing import TYPE_CHECKING, Any

from gonogo import __version__
from gonogo.report.breaks import breaks
from gonogo.report.curl import curl
from gonogo.report.model import position_of, shown_exchange

if TYPE_CHECKING:
    from gonogo.report.model import Report
    from gonogo.verdict import Judgement

REPORT_VERSION = 1


def render(report: Report) -> str:
    """The JSON text, indented, ASCII only, with a line break at its end."""
    return json.dumps(document(report), indent=1, allow_nan=False) + "\n"


@functools.cache
def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) that every report of this version fits."""
    text = (resources.files("gonogo.report") / "report.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def document(report: Report) -> dict[str, Any]:
    """The report as plain JSON values."""
    return {
        "gonogo": __version__,
        "report_version": REPORT_VERSION,
        "verdict": report.gate.value,
        "target": asdict(report.target),
        "extra_body": report.extra_body,
        "started": report.started,
        "seconds": None if report.seconds is None else round(report.seconds, 3),
        "strict": report.strict,
        "unmet": list(report.unmet),
        "baseline": [asdict(problem) for problem in report.problems],
        "cost": asdict(report.cost),
        "totals": {verdict.value: number for verdict, number in report.totals.items()},
        "rules": [_rule(judgement, report) for judgement in report.judgements],
    }


def _rule(judgement: Judgement, report: Report) -> dict[str, Any]:
    rule, position = judgement.rule, position_of(judgement)
    exchange = shown_exchange(judgement, report.exchanges)
    return {
        "id": rule.id,
        "title": rule.title,
        "level": rule.level.value,
        "group": rule.group,
        "verdict": judgement.verdict.value,
        "message": judgement.message,
        "expected": judgement.expected,
        "actual": judgement.actual,
        "waived": judgement.waived,
        "breaks": list(breaks(judgement, report)),
        "exchanges": list(dict.fromkeys(piece.exchange for piece in judgement.evidence)),
        "position": None if position is None else asdict(position),
        "curl": None if exchange is None else curl(exchange.request, report.target.base_url),
        "source": rule.source,
        "why": rule.why,
    }
