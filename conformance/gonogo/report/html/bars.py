"""A bar of verdicts: the share of each verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH = 1000
"""The width of a whole bar in units of its viewBox."""

ORDER = (
    Verdict.ERROR,
    Verdict.FAIL,
    Verdict.WARN,
    Verdict.WAIVED,
    Verdict.INCONCLUSIVE,
    Verdict.UNSUPPORTED,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
)
"""From left to right: the verdicts that need attention come first."""
_APPLICABLE = tuple(verdict for verdict in ORDER if verdict is not Verdict.NOT_APPLICABLE)
LEAST = 12  # units: the minimum visible width


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bar: the verdict, the number of its rules, and its position and width in units of the bar."""

    verdict: Verdict
    number: int
    x: float
    width: float


def bar(totals: Mapping[Verdict, int]) -> tuple[Part, ...]:
    """The parts of a bar over all of these verdicts; none if there is nothing to show.

    Rules that are not applicable are ignored, unless there are no others.
    """
    counted: dict[Verdict, int] = {v: totals[v] for v in _APPLICABLE if totals.get(v, 0)}
    counted = counted or {v: totals.get(v, 0) for v in ORDER if totals.get(v, 0)}
    weights = _weights(counted)
    parts, x = [], 0.0
    for verdict, weight in weights.items():
        parts.append(Part(verdict, counted[verdict], round(x, 1), round(weight, 1)))
        x += weight
    return tuple(parts)


def _weights(counted: Mapping[Verdict, int]) -> dict[Verdict, float]:
    """The width of each part: its share, but at least the minimum."""
    whole = sum(counted.values())
    widths = {verdict: max(LEAST, WIDTH * number / whole) for verdict, number in counted.items()}
    return {verdict: WIDTH * width / sum(widths.values()) for verdict, width in widths.items()}
