"""The outcome of a check: one of four, each as data.

A check returns `Kept`, a `Deviation`, `Undecided` or `Refused`. What reads an exchange for it raises `Stop` with one of
the last two where the check cannot continue; the step around the check turns that into the check's outcome.
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

    Raises ValueError without any: a check that looked at nothing has kept nothing.
    """

    witnesses: tuple[Witness, ...]

    def __post_init__(self) -> None:
        """Refuse to be without a witness."""
        if not self.witnesses:
            raise ValueError("a rule is kept by what was seen, and nothing was")


@dataclass(frozen=True, slots=True)
class Deviation:
    """What the contract expects, what was found instead, and where in the body (`at`), if in one place.

    `also` is set where a check went through many exchanges and names a few: the id of each, with what was found
    there. The place is then in the first. Neither `expected` nor `found` names an exchange.
    """

    expected: str
    found: str
    at: Position | None = None
    also: tuple[tuple[str, str], ...] = ()

    def located(self, exchange: Exchange, offset: int, end: int | None = None) -> Deviation:
        """The same deviation, pointing at the bytes from `offset` on."""
        return replace(self, at=position(exchange, offset, end))


@dataclass(frozen=True, slots=True)
class _LeftOpen:
    """Why a check said neither yes nor no: the reason, the values of its template, and in which exchanges."""

    reason: Reason
    about: tuple[str, ...] = ()
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def because(self) -> Because:
        """The same as a judgement carries it."""
        return Because(self.reason, self.values, self.about)


class Undecided(_LeftOpen):
    """The precondition of a check did not hold."""

    __slots__ = ()


class Refused(_LeftOpen):
    """The target said plainly that it does not do this."""

    __slots__ = ()


Outcome = Kept | Deviation | Undecided | Refused


class Stop(Exception):  # noqa: N818 - an answer, not an error
    """Raised by what reads for a check, where the check cannot continue; `outcome` is what the check says then."""

    def __init__(self, outcome: Undecided | Refused) -> None:
        super().__init__(outcome.reason.value)
        self.outcome = outcome


def saw(what: str, *exchanges: Exchange, count: int = 1) -> Kept | Undecided:
    """Kept, as `what` was seen in each exchange `count` times; undecided if that is 0 times, or in none.

    `what` is a noun phrase in the singular.
    """
    if not count or not exchanges:
        return Undecided(Reason.NOTHING_SEEN, ids(*exchanges), {"what": what})
    return Kept(tuple(Witness(exchange.id, what, count) for exchange in exchanges))


def undecided(reason: Reason, *exchanges: Exchange, **values: object) -> Stop:
    """What to raise where these exchanges leave the rule open."""
    return Stop(Undecided(reason, ids(*exchanges), values))


def refused(reason: Reason, *exchanges: Exchange, **values: object) -> Stop:
    """What to raise where the target refused in these exchanges what the rule speaks of."""
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
    """What to raise for a status from which nothing can be told of the rule."""
    status = exchange.status or 0
    other = Reason.SERVER_ERROR if status >= 500 else Reason.OTHER_STATUS
    return undecided(_OF_STATUS.get(status, other), exchange, status=status)


def unanswered(exchange: Exchange) -> Stop:
    """What to raise for an exchange that failed, or whose status tells nothing about the rule."""
    if exchange.failure is not None:
        reason = Reason.NO_ANSWER if exchange.status is None else Reason.NOT_WHOLE
        return undecided(reason, exchange, failure=exchange.failure.message)
    return unhelpful_status(exchange)


def position(exchange: Exchange, offset: int, end: int | None = None) -> Position:
    """The place in the body, with the bytes there as text (at most 160, the rest cut)."""
    data = exchange.body[offset : end if end is not None else offset + EXCERPT]
    text = data[:EXCERPT].decode("utf-8", "backslashreplace").rstrip("\r\n")
    return Position(offset, exchange.arrival(offset), text + ("…" if len(data) > EXCERPT else ""))
