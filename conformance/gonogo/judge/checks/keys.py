"""What a target says to who brings no key, or a wrong one. Where none is needed, there is nothing to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.judge.checks.acceptance import accepted, busy, ending, said_instead
from gonogo.judge.checks.refusals import code_is, has_envelope
from gonogo.judge.outcome import Deviation, Refused, Undecided, answered_with
from gonogo.judge.steps import Of, check, compare
from gonogo.redaction import WRONG_KEY

if TYPE_CHECKING:
    from gonogo.exchange import Exchange

UNAUTHORIZED = 401


@check("the want of a key does not fail the server", Of.ANY)
def not_failing(exchange: Exchange) -> Deviation | None:
    """Accepted or refused, but neither 5xx nor a dropped connection."""
    status, failure = exchange.status, exchange.failure
    timed_out = failure is not None and failure.kind is FailureKind.TIMEOUT
    if timed_out or status in {501, 503} or busy(exchange):
        raise Undecided(said_instead(exchange))
    if status is not None and status < 500:
        return None
    return Deviation("a status below 500", ending(exchange) if status is None else f"the status is {status}")


@compare("the last is refused with 401 where the first is accepted", Of.ANY)
def unauthorized(*exchanges: Exchange) -> Deviation | None:
    """401 is the one status by which clients know that it is about the key."""
    refusal = _refusal(*exchanges)
    if refusal.status == UNAUTHORIZED:
        return None
    return Deviation("status 401", f"the status is {refusal.status}")


@compare("the last is refused with an error object where the first is accepted", Of.ANY)
def in_an_envelope(*exchanges: Exchange) -> Deviation | None:
    """The same object as in every other refusal."""
    return has_envelope(_refusal(*exchanges))


@compare('the last is refused with the code "{code}" where the first is accepted', Of.ANY)
def coded(*exchanges: Exchange, code: str) -> Deviation | None:
    """The code that clients branch on."""
    return code_is(_refusal(*exchanges), code)


@compare("the last is refused with a challenge where the first is accepted", Of.ANY)
def challenged(*exchanges: Exchange) -> Deviation | None:
    """A 401 says how one may authenticate (RFC 9110 section 15.5.2)."""
    refusal = _refusal(*exchanges)
    if refusal.status != UNAUTHORIZED:
        raise Undecided(answered_with(refusal))
    if refusal.header("www-authenticate"):
        return None
    return Deviation("a header WWW-Authenticate", "there is none")


@compare("the refusal of the last does not tell the key where the first is accepted", Of.ANY)
def not_echoed(*exchanges: Exchange) -> Deviation | None:
    """A key that was mistyped is nearly the right one, and errors end in logs."""
    refusal = _refusal(*exchanges)
    offset = refusal.body.find(WRONG_KEY.removeprefix("Bearer ").encode())
    if offset < 0:
        return None
    return Deviation("no key, or a part of it", "the whole key that was sent").at(refusal, offset)


@compare("a wrong key is refused like none", Of.ANY)
def wrong_like_none(*exchanges: Exchange) -> Deviation | None:
    """Who wants a key, and takes any, protects nothing; the exchanges are the plain one, without, and wrong."""
    plain, without, wrong = exchanges
    _refusal(plain, without)
    if not accepted(wrong):
        _refusal(plain, wrong)
        return None
    return Deviation(
        f"a refusal, as without a key (status {without.status})", f"a wrong key is accepted: {ending(wrong)}"
    )


def _refusal(plain: Exchange, last: Exchange) -> Exchange:
    """The refusal of the last; raises what is to be said where it is none, or one that has another cause."""
    if not accepted(plain):
        raise Undecided(f"the plain request was not accepted either: {said_instead(plain)}")
    if accepted(last):
        raise Refused(f"no right key is needed here: {last.id} was answered with {last.status}")
    status = last.status
    if status is None or status < 400 or status >= 500 or last.failure is not None or busy(last):
        raise Undecided(said_instead(last))
    return last
