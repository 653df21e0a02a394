"""The report as JSON (version 2), for programs; `report.schema.json` next to this file describes it."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from dataclasses import asdict
from importlib import resources
from typing import TYPE_CHECKING, Any

from gonogo import __version__
from gonogo.report.breaks import breaks
from gonogo.report.curl import curl
from gonogo.report.model import position_of, shown_exchange
from gonogo.report.wording import message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo.report.model import Report
    from gonogo.report.profile_results import ProfileResult
    from gonogo.verdict import Cause, Judgement, Witness

REPORT_VERSION = 2


def render(report: Report) -> str:
    """The JSON text, indented, ASCII only, with a trailing line break."""
    return json.dumps(document(report), indent=1, allow_nan=False) + "\n"


def compact(report: dict[str, Any]) -> str:
    """A compact report for storage, one line per rule: without the witnesses of passes and repeated commands."""
    rules = [json.dumps(_brief(rule), separators=(",", ":"), allow_nan=False) for rule in report["rules"]]
    head = json.dumps(report | {"rules": []}, indent=1, allow_nan=False)
    return head.removesuffix('"rules": []\n}') + '"rules": [\n' + ",\n".join(rules) + "\n ]\n}\n"


def _brief(rule: dict[str, Any]) -> dict[str, Any]:
    """The members of a rule that comparisons need; a broken one keeps its source, its reason and its command."""
    kept = rule | {"witnesses": [], "exchanges": rule["exchanges"][:1]}
    return kept if rule["expected"] is not None else kept | {"curl": None, "source": "", "why": ""}


@functools.cache
def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of all reports of this version."""
    text = (resources.files("gonogo.report") / "report.schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def document(report: Report) -> dict[str, Any]:
    """The report as plain JSON values."""
    return {
        "gonogo": __version__,
        "report_version": REPORT_VERSION,
        "rule_set": report.rule_set,
        "verdict": report.gate.value,
        "label": report.label,
        "target": asdict(report.target),
        **({"models": [document(part) for part in report.parts]} if report.parts else {}),
        "extra_body": report.extra_body,
        "started": report.started,
        "seconds": None if report.seconds is None else round(report.seconds, 3),
        "strict": report.strict,
        "unmet": list(report.unmet),
        "baseline": [asdict(problem) for problem in report.problems],
        "profiles": [_holding(held) for held in report.profiles],
        "cost": asdict(report.cost),
        "totals": {verdict.value: number for verdict, number in report.totals.items()},
        "causes": [_cause(cause, report) for cause in report.causes],
        "rules": [_rule(judgement, report) for judgement in report.judgements],
    }


def _holding(held: ProfileResult) -> dict[str, Any]:
    return {
        "name": held.name,
        "verdict": held.gate.value,
        "required": held.required,
        "judged": held.judged,
        "passed": held.passed,
        "failed": list(held.failed),
        "unsupported": [{"surface": lack.surface, "rules": list(lack.rules)} for lack in held.unsupported],
        "undecided": list(held.undecided),
        "left_out": held.left_out,
    }


def _cause(cause: Cause, report: Report) -> dict[str, Any]:
    exchange = None if cause.evidence is None else report.exchanges.get(cause.evidence.exchange)
    position = None if cause.evidence is None else cause.evidence.position
    return {
        "id": cause.id,
        "title": cause.title,
        "verdict": report.verdict_of(cause).value,
        "seen": cause.seen,
        "breaks": cause.breaks,
        **({"models": list(report.models_of(cause))} if report.parts else {}),
        "rules": list(cause.rules),
        "undecided": list(cause.undecided),
        "exchange": None if exchange is None else exchange.id,
        "position": None if position is None else asdict(position),
        "curl": None if exchange is None else curl(exchange.request, report.target.base_url),
    }


def _rule(judgement: Judgement, report: Report) -> dict[str, Any]:
    rule, position, because = judgement.rule, position_of(judgement), judgement.because
    exchange = shown_exchange(judgement, report.exchanges)
    return {
        "id": rule.id,
        "title": rule.title,
        "level": rule.level.value,
        "group": rule.group,
        "since": rule.since,
        "verdict": judgement.verdict.value,
        **({"models": _verdicts(judgement, report)} if report.parts else {}),
        "message": message(judgement),
        "expected": judgement.expected,
        "actual": judgement.actual,
        "cause": judgement.cause,
        "reason": None if because is None else because.reason.value,
        "values": {} if because is None else {name: _plain(value) for name, value in because.values.items()},
        "witnesses": _witnesses(judgement.witnesses),
        "waived": None if judgement.waived is None else judgement.waived.reason,
        "breaks": list(breaks(judgement, report)),
        "exchanges": list(dict.fromkeys(piece.exchange for piece in judgement.evidence)),
        "position": None if position is None else asdict(position),
        "curl": None if exchange is None else curl(exchange.request, report.target.base_url),
        "source": rule.source,
        "why": rule.why,
    }


def _verdicts(judgement: Judgement, report: Report) -> dict[str, str]:
    """The verdict for each of several models."""
    verdicts = (part.verdict_on(judgement.rule.id).value for part in report.parts)
    return dict(zip(report.models, verdicts, strict=True))


def _witnesses(witnesses: Iterable[Witness]) -> list[dict[str, Any]]:
    """What was checked, how often in total, and in which exchanges."""
    counts: dict[str, int] = defaultdict(int)
    where: dict[str, list[str]] = defaultdict(list)
    for witness in witnesses:
        counts[witness.what] += witness.count
        where[witness.what].append(witness.exchange)
    return [{"what": what, "count": counts[what], "exchanges": where[what]} for what in counts]


def _plain(value: object) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
