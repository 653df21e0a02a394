"""What a check can say of an exchange: nothing wrong, a deviation, or that it cannot tell.

A check returns a `Deviation` or None. It raises `Undecided` where what it needs is not there through no fault
that is its own to report: a rule speaks of one thing, and leaves the rest to the rules whose thing it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gonogo.verdict import Position

if TYPE_CHECKING:
    from gonogo.exchange import Exchange

EXCERPT = 160


@dataclass(frozen=True, slots=True)
class Deviation:
    """What the contract expects, what was there instead, and where in the body, if at one place.

    `examples` are set where a check went through many exchanges and names a few: the id of each, with what was
    there. The position is then in the first.
    """

    expected: str
    actual: str
    position: Position | None = None
    examples: tuple[tuple[str, str], ...] = ()

    def at(self, exchange: Exchange, offset: int, end: int | None = None) -> Deviation:
        """The same deviation, pointing at the bytes from `offset` on."""
        return replace(self, position=position(exchange, offset, end))


class Undecided(Exception):  # noqa: N818 - an answer, not an error
    """The precondition of a check did not hold; the message says which."""


class Unread(Undecided):
    """The answer is none that the check reads: not of the kind that it speaks of, or not of this moment."""


class Refused(Exception):  # noqa: N818 - an answer, not an error
    """The target said plainly that it does not do this; the message says how."""


BUSY = "the target was busy; a smaller --concurrency asks less at a time"
KEY = "set GONOGO_API_KEY to a key that it takes"
WHY = {401: KEY, 403: KEY, 429: BUSY, 503: BUSY}


def answered_with(exchange: Exchange) -> str:
    """The status of an answer from which nothing can be told, and what to do about it."""
    status = exchange.status or 0
    why = WHY.get(status) or ("another rule speaks of that" if status >= 500 else None)
    return f"{exchange.id} was answered with {status}" + (f": {why}" if why else "")


def position(exchange: Exchange, offset: int, end: int | None = None) -> Position:
    """The place in the body, with the bytes there as text (at most 160, the rest cut)."""
    data = exchange.body[offset : end if end is not None else offset + EXCERPT]
    text = data[:EXCERPT].decode("utf-8", "backslashreplace").rstrip("\r\n")
    return Position(offset, exchange.arrival(offset), text + ("…" if len(data) > EXCERPT else ""))
