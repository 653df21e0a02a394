"""What a server does with heads, paths and sizes that are not the ordinary ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind, header
from gonogo.judge.checks.acceptance import accepted, ending, said_instead, turned_away
from gonogo.judge.outcome import Deviation, Undecided, answered_with
from gonogo.judge.steps import Of, check

if TYPE_CHECKING:
    from gonogo.exchange import Exchange

ANYBODY = "*"


@check("no server error is the answer, unless it says that there is no such thing", Of.ANY)
def harmless(exchange: Exchange) -> Deviation | None:
    """Whatever it says, it says so: no 5xx but a plain 501, and no connection that is dropped without a word."""
    status, failure = exchange.status, exchange.failure
    if status is None:
        if failure is not None and failure.kind is FailureKind.TIMEOUT:
            raise Undecided(f"{exchange.id}: {failure.message}")
        return Deviation("an answer", ending(exchange))
    if status < 500 or status == 501:
        return None
    if status == 503:
        raise Undecided(answered_with(exchange))
    return Deviation("a status below 500", f"status {status}")


@check("the page may send what openai-node sends", Of.ANSWERED)
def allowed(exchange: Exchange) -> Deviation | None:
    """Status, origin and headers are what a browser goes on with, by the Fetch standard."""
    if exchange.status in {None, 401, 403} or turned_away(exchange):
        raise Undecided(said_instead(exchange))
    if not accepted(exchange):
        return Deviation("a status of 2xx", f"status {exchange.status}")
    origin = header(exchange.request.headers, "origin")
    given = exchange.header("access-control-allow-origin")
    if given not in (ANYBODY, origin):
        return Deviation(f"Access-Control-Allow-Origin: {origin} or *", f"it is {given or 'absent'}")
    wanted = _names(header(exchange.request.headers, "access-control-request-headers"))
    listed = _names(exchange.header("access-control-allow-headers"))
    missing = [] if ANYBODY in listed else sorted(wanted - listed)
    if not missing:
        return None
    return Deviation(
        "every header that was asked for in Access-Control-Allow-Headers", f"without {missing[0]}"
    )


@check("the answer has no more than one length", Of.ANY)
def one_length(exchange: Exchange) -> Deviation | None:
    """Content-Length or Transfer-Encoding: with both it takes one reader for another to be lied to."""
    if exchange.status is None:
        raise Undecided(said_instead(exchange))
    length, coding = exchange.header("content-length"), exchange.header("transfer-encoding")
    if length is None or coding is None:
        return None
    return Deviation(
        "Content-Length or Transfer-Encoding", f"Content-Length is {length}, Transfer-Encoding {coding}"
    )


@check("a refusal with 405 has a header allow", Of.ANSWERED)
def allow_given(exchange: Exchange) -> Deviation | None:
    """What is refused with another status says something else."""
    if exchange.status != 405:
        raise Undecided(f"not refused with 405: {said_instead(exchange)}")
    if exchange.header("allow") is not None:
        return None
    return Deviation("a header Allow", "there is none")


def _names(value: str | None) -> set[str]:
    return {name.strip().lower() for name in (value or "").split(",")} - {""}
