"""Whether a request was taken: what a status says, before anything is read of the body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.judge.outcome import Deviation, Refused, Undecided
from gonogo.judge.steps import Of, check, compare

if TYPE_CHECKING:
    from gonogo.exchange import Exchange


@check("the answer's status is {status:d}")
def status_is(exchange: Exchange, status: int) -> Deviation | None:
    """One status exactly, among the successful ones."""
    if exchange.status == status:
        return None
    return Deviation(f"status {status}", f"the status is {exchange.status}")


@compare("the last is accepted like the first", Of.ANY)
def accepted_like_the_first(*exchanges: Exchange) -> Deviation | None:
    """A variation that the contract allows is not refused where the plain request is taken."""
    first, last = exchanges[0], exchanges[-1]
    if not accepted(first):
        raise Undecided(f"the plain request was not accepted either ({first.id}: {ending(first)})")
    if accepted(last):
        return None
    # A 503 speaks of the moment, not of the request, whether it says for how long or not.
    if (
        last.status == 503
        or busy(last)
        or (last.failure is not None and last.failure.kind is FailureKind.TIMEOUT)
    ):
        raise Undecided(f"{last.id}: {ending(last)}")
    return Deviation("a status of 2xx, as for the plain request", _refusal(last))


@compare("where the first is taken, the last is taken too", Of.ANY)
def taken_like_the_first(*exchanges: Exchange) -> Deviation | None:
    """A variation of something that a target need not do: where it does it, it does this too."""
    first = exchanges[0]
    if first.status is not None and (first.status in range(400, 500) or first.status == 501):
        if first.status in {401, 403} or busy(first):
            raise Undecided(f"{first.id} was answered with {first.status}")
        raise Refused(f"the plain form is refused with {first.status} ({first.id})")
    return accepted_like_the_first(*exchanges)


@check("no valid request is answered with a server error", Of.ANY)
def no_server_error(exchange: Exchange) -> Deviation | None:
    """500 to 599 are the server's own failures; 501 says plainly that something is not there (RFC 9110)."""
    status = exchange.status
    if status is None:
        raise Undecided(f"{exchange.id}: {ending(exchange)}")
    if status < 500 or status == 501:
        return None
    if busy(exchange):
        raise Undecided(f"{exchange.id} was answered with 503 and a Retry-After")
    return Deviation("a status below 500", _refusal(exchange))


@check("the connection holds until the answer is complete", Of.ANY)
def complete(exchange: Exchange) -> Deviation | None:
    """An answer that began, or should have begun, is not cut off (RFC 9112 section 8)."""
    failure = exchange.failure
    if failure is None:
        return None
    if failure.kind in {FailureKind.TIMEOUT, FailureKind.TOO_LARGE}:
        raise Undecided(f"{exchange.id}: {failure.message}")
    return Deviation("a complete answer", f"{failure.message} after {len(exchange.body)} bytes of body")


@check("the answer comes within the time limit", Of.ANY)
def in_time(exchange: Exchange) -> Deviation | None:
    """The limit of --timeout is generous for a handful of tokens."""
    failure = exchange.failure
    if failure is None or failure.kind is not FailureKind.TIMEOUT:
        return None
    begun = "the answer had not begun" if exchange.status is None else "the answer was not complete"
    return Deviation("a complete answer within --timeout", f"after {failure.at:.1f} s {begun}")


def accepted(exchange: Exchange) -> bool:
    """Whether the status is 2xx."""
    return exchange.status is not None and 200 <= exchange.status < 300


def busy(exchange: Exchange) -> bool:
    """Whether the answer says only that this is not the time: 429, or 503 with a Retry-After (RFC 9110)."""
    return exchange.status == 429 or (exchange.status == 503 and exchange.header("retry-after") is not None)


def ending(exchange: Exchange) -> str:
    """How the exchange ended, in a few words."""
    if exchange.failure is not None:
        return exchange.failure.message
    return f"status {exchange.status}"


def _refusal(exchange: Exchange) -> str:
    """The status and the beginning of what was said with it."""
    said = exchange.body[:200].decode("utf-8", "backslashreplace").strip()
    status = ending(exchange) if exchange.status is None else f"status {exchange.status}"
    return f"{status}: {said}" if said else status
