"""The outcome of a check: one of four, each as data.

A check returns `Kept`, a `Deviation`, `Undecided` or `Refused`. Functions that read an exchange raise `Stop` with one
of the last two if the check cannot continue; `Bound` turns that into the check's outcome.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gonogo.reasons import Reason
from gonogo.verdict import Because, Position, Witness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange

EXCERPT = 160


@dataclass(frozen=True, slots=True)
class Kept:
    """The rule holds, as these witnesses show; there is at least one.

    Raises ValueError without witnesses: a check without observations proves nothing.
    """

    witnesses: tuple[Witness, ...]

    def __post_init__(self) -> None:
        """Reject an empty list of witnesses."""
        if not self.witnesses:
            raise ValueError("a rule is kept by what was seen, and nothing was")


@dataclass(frozen=True, slots=True)
class Deviation:
    """The expected value, the found one, and the position in the body (`at`), if it is in one place.

    `also` is set if a check of many exchanges lists a few: the id of each, with its actual value. The position is then
    in the first. Neither `expected` nor `found` names an exchange.
    """

    expected: str
    found: str
    at: Position | None = None
    also: tuple[tuple[str, str], ...] = ()

    def located(self, exchange: Exchange, offset: int, end: int | None = None) -> Deviation:
        """The same deviation, with the position of the bytes from `offset` on."""
        return replace(self, at=position(exchange, offset, end))


@dataclass(frozen=True, slots=True)
class _LeftOpen:
    """Why a check is undecided: the reason, the values of its template, and the exchanges."""

    reason: Reason
    about: tuple[str, ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def because(self) -> Because:
        """The same for a judgement."""
        return Because(self.reason, self.values, self.about)


class Undecided(_LeftOpen):
    """The precondition of a check did not hold."""

    __slots__ = ()


class Refused(_LeftOpen):
    """The target explicitly refused the feature."""

    __slots__ = ()


Outcome = Kept | Deviation | Undecided | Refused


class Stop(Exception):  # noqa: N818 - a result, not an error
    """Raised if a check cannot continue; `outcome` is the check's outcome."""

    def __init__(self, outcome: Undecided | Refused) -> None:
        super().__init__(outcome.reason.value)
        self.outcome = outcome


def saw(what: str, *exchanges: Exchange, count: int = 1) -> Kept | Undecided:
    """Kept, because `what` was checked `count` times in each exchange; undecided if every count is 0.

    `what` is a noun phrase in the singular.
    """
    if not count or not exchanges:
        return Undecided(Reason.NOTHING_SEEN, ids(*exchanges), {"what": what})
    return Kept(tuple(Witness(exchange.id, what, count) for exchange in exchanges))


def undecided(reason: Reason, *exchanges: Exchange, **values: object) -> Stop:
    """The exception to raise if these exchanges leave the rule undecided."""
    return Stop(Undecided(reason, ids(*exchanges), values))


def refused(reason: Reason, *exchanges: Exchange, **values: object) -> Stop:
    """The exception to raise if the target refused the rule's subject in these exchanges."""
    return Stop(Refused(reason, ids(*exchanges), values))


def ids(*exchanges: Exchange) -> tuple[str, ...]:
    """The ids, in the same order."""
    return tuple(exchange.id for exchange in exchanges)


_OF_STATUS = {
    401: Reason.UNAUTHORIZED,
    403: Reason.UNAUTHORIZED,
    429: Reason.BUSY,
    503: Reason.BUSY,
}


def unhelpful_status(exchange: Exchange) -> Stop:
    """The exception to raise for a status that proves nothing about the rule."""
    status = exchange.status or 0
    other = Reason.SERVER_ERROR if status >= 500 else Reason.OTHER_STATUS
    return undecided(_OF_STATUS.get(status, other), exchange, status=status)


def unanswered(exchange: Exchange) -> Stop:
    """The exception to raise for an exchange that failed, or whose status proves nothing about the rule."""
    if exchange.failure is not None:
        reason = Reason.NO_ANSWER if exchange.status is None else Reason.NOT_WHOLE
        return undecided(reason, exchange, failure=exchange.failure.message)
    return unhelpful_status(exchange)


def position(exchange: Exchange, offset: int, end: int | None = None) -> Position:
    """The position in the body, with the bytes there as text (at most 160)."""
    data = exchange.body[offset : end if end is not None else offset + EXCERPT]
    text = data[:EXCERPT].decode("utf-8", "backslashreplace").rstrip("\r\n")
    return Position(offset, exchange.arrival(offset), text + ("…" if len(data) > EXCERPT else ""))
