"""The bytes of an answer as lines with offset and time: the offending part is marked, long lines are cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo.report.html.marking import Piece, pointed_at, span_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gonogo.exchange import Exchange
    from gonogo.verdict import Position

AROUND = 1  # lines before and after the offending one
ENDS = 2  # lines at the beginning and at the end
MOST_LINE = 700  # characters of the offending line
MOST_OTHER = 180  # of the others
BEFORE_MARK = 260  # characters of the offending line before the mark
MOST_SCANNED = 1 << 20  # maximum bytes of a line that is searched for a JSON value
DATA = b"data:"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a body: its offset, its arrival time, and its pieces.

    `is_it`: the line contains the offending part. A placeholder for omitted lines has their number in `left_out` and no
    pieces.
    """

    offset: int
    at: float | None
    pieces: tuple[Piece, ...] = ()
    is_it: bool = False
    left_out: int = 0


def lines(exchange: Exchange, position: Position | None, actual: str | None) -> tuple[Line, ...]:
    """The lines of an answer around its offending part, and at both ends; empty without a body.

    The offending part is the value at the JSON pointer in `actual`, or else the line at the position; without either,
    nothing is marked.
    """
    body = exchange.body
    spans = list(_spans(body))
    wanted = None if position is None else position.offset
    marked = next((n for n, (a, b) in enumerate(spans) if wanted is not None and a <= wanted < b), None)
    if marked is None and len(spans) == 1:
        marked = 0
    shown = _chosen(len(spans), marked)
    found: list[Line] = []
    expected = 0
    for number in shown:
        if number > expected:
            found.append(Line(spans[expected][0], None, left_out=number - expected))
        start, end = spans[number]
        offending = _offending(body[start:end], wanted, actual) if number == marked else None
        pieces = _pieces(body[start:end], offending, MOST_LINE if len(spans) == 1 else MOST_OTHER)
        found.append(Line(start, exchange.arrival(start), pieces, is_it=offending is not None))
        expected = number + 1
    return tuple(found)


def _spans(body: bytes) -> Iterator[tuple[int, int]]:
    """The start and end of each line that is not blank."""
    start = 0
    for line in body.splitlines(keepends=True):
        if line.strip():
            yield start, start + len(line)
        start += len(line)


def _chosen(number: int, marked: int | None) -> list[int]:
    """The lines to show; a single line is never omitted, because its placeholder would be as long."""
    near = range(0) if marked is None else range(marked - AROUND, marked + AROUND + 1)
    wanted = {n for n in (*range(ENDS), *near, *range(number - ENDS, number)) if 0 <= n < number}
    return [n for n in range(number) if n in wanted or {n - 1, n + 1} <= wanted]


def _offending(line: bytes, wanted: int | None, actual: str | None) -> tuple[int, int] | None:
    """The offending part of a line, in characters; the whole line if only the position is known."""
    text = _text(line)
    steps = pointed_at(actual)
    if steps is not None and len(line) <= MOST_SCANNED:
        skipped = len(DATA) if line.startswith(DATA) else 0
        span = span_of(text[skipped:], steps)
        if span is not None:
            return span[0] + skipped, span[1] + skipped
    return (0, len(text)) if wanted is not None else None


def _pieces(line: bytes, offending: tuple[int, int] | None, most: int) -> tuple[Piece, ...]:
    text = _text(line)
    start, end = offending or (len(text), len(text))
    if offending is None:
        return _cut([Piece(text[:most])], 0, max(0, len(text) - most))
    first = max(0, start - BEFORE_MARK)
    last = min(len(text), max(end, first + MOST_LINE))
    shown_end = min(end, start + MOST_LINE)
    last = last if shown_end == end else shown_end
    last = min(last, first + 2 * MOST_LINE)
    pieces = [Piece(text[first:start]), Piece(text[start:shown_end], "wrong"), Piece(text[shown_end:last])]
    return _cut(pieces, first, len(text) - last)


def _cut(pieces: Sequence[Piece], before: int, after: int) -> tuple[Piece, ...]:
    """The pieces, with notes about the omitted text before and after."""
    head = [Piece(f"… {before} characters …", "cut")] if before else []
    tail = [Piece(f"… {after} characters …", "cut")] if after else []
    return (*head, *(piece for piece in pieces if piece.text), *tail)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "backslashreplace").rstrip("\r\n")
