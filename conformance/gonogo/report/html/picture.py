"""A timeline as SVG: the position of each mark in units of the viewBox, and a description as text.

Marks that arrive together are stacked: a buffered stream looks like a tower, an unbuffered one like a comb.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import floor, log10
from typing import TYPE_CHECKING

from gonogo.report.timeline import Kind, timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gonogo.exchange import Exchange
    from gonogo.report.timeline import Mark, Timeline

WIDTH, LEFT, RIGHT = 800, 8, 792
GROUND = 62  # the line on which ticks stand; the viewBox spans 10 to 86 in height
TICK, STEP, TALLEST = 14, 2.4, 44  # a tick's height, the increment per further tick in a stack, the maximum
CELL = 3.0  # units within which ticks count as being at the same place
FEWEST_GAP = 0.08  # minimum share of the whole for a gap to be labelled
FEWEST_NUMBERED = 4  # minimum ticks at one place for a number; fewer can be counted by eye
SHORTEST_GAP = 0.05  # minimum seconds for a gap to be labelled
TICKS = (Kind.TEXT, Kind.OTHER)
SIGNS = (Kind.COMMENT, Kind.FINISH, Kind.USAGE, Kind.DONE, Kind.ERROR)
SIGN_LEVEL = {Kind.COMMENT: 52, Kind.FINISH: 40, Kind.USAGE: 29, Kind.DONE: 18, Kind.ERROR: 47}
"""The height of each sign: signs that often arrive together are placed above each other."""


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time from `x` over `width`, with its length as text."""

    x: float
    width: float
    told: str


@dataclass(frozen=True, slots=True)
class Sign:
    """A mark that is shown separately."""

    kind: Kind
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Picture:
    """All parts of the drawing: a path of ticks for each kind, signs, gaps, the scale, and the description.

    `waiting` is the time before the first piece. `offending` is where the offending bytes arrived. `cut` is where the
    connection failed. `words` describe it in clauses, `sentence` in one sentence.
    """

    ticks: tuple[tuple[Kind, str], ...]
    signs: tuple[Sign, ...]
    waiting: Band | None
    gap: Band | None
    scale: tuple[tuple[float, str], ...]
    towers: tuple[tuple[float, float, int], ...]
    words: tuple[str, ...]
    offending: float | None = None
    cut: float | None = None

    @property
    def sentence(self) -> str:
        """A description of the picture, for screen readers."""
        return "; ".join(self.words) + "."


def picture(exchange: Exchange, offending: float | None = None) -> Picture:
    """The picture of a stream; `offending` is the second in which the offending bytes arrived."""
    known = timeline(exchange)
    whole = known.end or 1e-6

    def x(at: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, at / whole)), 1)

    towers = _towers([x(mark.at) for mark in known.marks if mark.kind in TICKS])
    first = known.reads[0] if known.reads else None
    return Picture(
        ticks=tuple((kind, path) for kind in TICKS if (path := _path(_places(known, kind, x)))),
        signs=tuple(_signs(known.marks, x)),
        waiting=None if first is None else _band(0.0, first, x),
        gap=_gap(known, x),
        scale=tuple((x(at), seconds(at)) for at in _round_times(whole)),
        towers=tuple(tower for tower in towers if tower[2] >= FEWEST_NUMBERED),
        words=tuple(_words(known)),
        offending=None if offending is None else x(offending),
        cut=None if known.failure is None else x(known.failure.at),
    )


def seconds(value: float) -> str:
    """A time for readers, in milliseconds or seconds."""
    return f"{value * 1000:.0f} ms" if 0 < value < 1 else f"{value:.3g} s" if value else "0"


def _places(known: Timeline, kind: Kind, x: Callable[[float], float]) -> Iterator[float]:
    return (x(mark.at) for mark in known.marks if mark.kind is kind)


def _path(places: Iterable[float]) -> str:
    """One path of vertical strokes, each as tall as the number of marks at its place."""
    counted = Counter(CELL * floor(place / CELL) for place in places)
    return "".join(f"M{at:g} {GROUND}v-{_height(number):g}" for at, number in sorted(counted.items()))


def _height(number: int) -> float:
    return min(TALLEST, TICK + STEP * (number - 1))


def _towers(places: Iterable[float]) -> list[tuple[float, float, int]]:
    """The stacked ticks: place, height, and number."""
    counted = Counter(CELL * floor(place / CELL) for place in places)
    return [(at, GROUND - _height(number), number) for at, number in sorted(counted.items())]


def _signs(marks: Iterable[Mark], x: Callable[[float], float]) -> Iterator[Sign]:
    """One sign for all marks of a kind at the same place."""
    seen = set()
    for mark in marks:
        place = (mark.kind, floor(x(mark.at) / CELL))
        if mark.kind in SIGNS and place not in seen:
            seen.add(place)
            yield Sign(mark.kind, x(mark.at), SIGN_LEVEL[mark.kind])


def _band(start: float, end: float, x: Callable[[float], float]) -> Band:
    return Band(x(start), round(x(end) - x(start), 1), seconds(end - start))


def _gap(known: Timeline, x: Callable[[float], float]) -> Band | None:
    """The longest time without data, if it is visible in the picture."""
    gap = known.longest_gap
    if gap is None or gap[1] - gap[0] < max(SHORTEST_GAP, FEWEST_GAP * known.end):
        return None
    return _band(*gap, x)


def _round_times(whole: float) -> list[float]:
    """Four to nine round times, from 0."""
    rough = whole / 6
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return [round(n * step, 9) for n in range(int(whole / step) + 1)]


def _words(known: Timeline) -> Iterator[str]:
    text = known.first(Kind.TEXT)
    yield "no text" if text is None else f"first text after {seconds(text.at)}"
    if number := known.number(Kind.TEXT):
        yield f"{_counted(number, 'text event')} in {_counted(known.moments, 'arrival')}"
    gap = known.longest_gap
    if gap is not None:
        yield f"longest gap {seconds(gap[1] - gap[0])}"
    if comments := known.number(Kind.COMMENT):
        yield _counted(comments, "comment")
    yield from _endings(known)


def _endings(known: Timeline) -> Iterator[str]:
    named = {Kind.FINISH: "finish", Kind.USAGE: "usage", Kind.DONE: "[DONE]"}
    for kind, name in named.items():
        mark = known.first(kind)
        if mark is None and kind is Kind.DONE and known.named:
            continue
        yield f"no {name}" if mark is None else f"{name} at {seconds(mark.at)}"
    if known.failure is not None:
        yield f"{known.failure.message} after {seconds(known.failure.at)}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
