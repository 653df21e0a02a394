"""Merges the reports on several models into one: a rule gets the verdict of its worst model.

A rule that several models break is one finding, and a cause of several models is one cause.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from gonogo.report.cost import cost
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gonogo.baseline import Problem
    from gonogo.report.model import Report
    from gonogo.verdict import Cause, Judgement

WORST_FIRST = (
    Verdict.ERROR,
    Verdict.FAIL,
    Verdict.WARN,
    Verdict.WAIVED,
    Verdict.UNSUPPORTED,
    Verdict.INCONCLUSIVE,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
)
"""A rule that is refused or undecided for one model does not count as passed for all."""
BROKEN = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.WAIVED})


def together(
    parts: Sequence[Report], problems: Iterable[Problem] = (), seconds: float | None = None
) -> Report:
    """The report on all models; if there is only one, its report.

    `problems` are those of the baseline for all models together, and `seconds` is the length of the run.
    """
    if len(parts) == 1:
        return replace(parts[0], problems=tuple(problems), seconds=seconds)
    first = parts[0]
    exchanges = dict(chain.from_iterable(part.exchanges.items() for part in parts))
    judgements = merged([part.judgements for part in parts])
    return replace(
        first,
        target=replace(first.target, model=None),
        seconds=seconds,
        cost=cost(exchanges.values()),
        judgements=judgements,
        exchanges=exchanges,
        unmet=tuple(dict.fromkeys(chain.from_iterable(part.unmet for part in parts))),
        problems=tuple(problems),
        causes=_causes(parts, judgements),
        cut_short=any(part.cut_short for part in parts),
        parts=tuple(parts),
    )


def merged(judged: Sequence[Sequence[Judgement]]) -> tuple[Judgement, ...]:
    """The judgement of each rule for all models; the inputs have the same rules in the same order."""
    return tuple(map(_merged, zip(*judged, strict=True)))


def _merged(judgements: Sequence[Judgement]) -> Judgement:
    """The first of the worst judgements, with the evidence of all of the worst, each exchange once."""
    verdict = next(v for v in WORST_FIRST if any(judgement.verdict is v for judgement in judgements))
    worst = [judgement for judgement in judgements if judgement.verdict is verdict]
    evidence = {piece.exchange: piece for judgement in reversed(worst) for piece in judgement.evidence}
    return replace(
        worst[0],
        evidence=tuple(dict.fromkeys((*worst[0].evidence, *evidence.values()))),
        witnesses=tuple(dict.fromkeys(chain.from_iterable(judgement.witnesses for judgement in worst))),
    )


def _causes(parts: Iterable[Report], judgements: Iterable[Judgement]) -> tuple[Cause, ...]:
    """All causes without duplicates, with the rules that follow from them for any model; failures first."""
    broken = {judgement.rule.id: judgement.verdict for judgement in judgements if judgement.verdict in BROKEN}
    found: dict[str, Cause] = {}
    for cause in chain.from_iterable(part.causes for part in parts):
        known = found.get(cause.id, cause)
        rules = dict.fromkeys(rule for rule in (*known.rules, *cause.rules) if rule in broken)
        undecided = dict.fromkeys(r for r in (*known.undecided, *cause.undecided) if r not in rules)
        if rules:
            found[cause.id] = replace(known, rules=tuple(rules), undecided=tuple(undecided))
    worst = {name: min(WORST_FIRST.index(broken[r]) for r in cause.rules) for name, cause in found.items()}
    return tuple(sorted(found.values(), key=lambda cause: worst[cause.id]))
