"""Checks on requests without a key or with a wrong one. If no key is required, nothing is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import header
from gonogo.judge import kinds
from gonogo.judge.checks.acceptance import accepted, busy, ending, expect_plain, timed_out
from gonogo.judge.checks.refusals import code_is, has_envelope
from gonogo.judge.outcome import Deviation, refused, saw, unanswered, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason
from gonogo.redaction import WRONG_KEY

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

UNAUTHORIZED = 401


@check("a missing or wrong key causes no server error", Of.ANY)
def not_failing(exchange: Exchange) -> Outcome:
    """Accepted or refused, but neither 5xx nor a dropped connection."""
    status = exchange.status
    if timed_out(exchange) or status in {501, 503} or busy(exchange):
        raise unanswered(exchange)
    if status is not None and status < 500:
        if exchange.failure is not None:
            raise unanswered(exchange)
        return saw(f"status {status}", exchange)
    return Deviation("a status below 500", ending(exchange) if status is None else f"the status is {status}")


@compare("if the first is accepted, the last is refused with 401", Of.ANY)
def unauthorized(*exchanges: Exchange) -> Outcome:
    """401 is the only status by which clients recognise a key error."""
    refusal = _refusal(*exchanges)
    if refusal.status == UNAUTHORIZED:
        return saw("status 401", refusal)
    return Deviation("status 401", f"the status is {refusal.status}")


@compare("if the first is accepted, the last is refused with an error object", Of.ANY)
def in_an_envelope(*exchanges: Exchange) -> Outcome:
    """The envelope is the same as in every other refusal."""
    return has_envelope(_refusal(*exchanges))


@compare('if the first is accepted, the last is refused with the code "{code}"', Of.ANY)
def coded(*exchanges: Exchange, code: str) -> Outcome:
    """Clients branch on this code."""
    return code_is(_refusal(*exchanges), code)


@compare("if the first is accepted, the last is refused with a challenge", Of.ANY)
def challenged(*exchanges: Exchange) -> Outcome:
    """A 401 has WWW-Authenticate (RFC 9110 section 15.5.2)."""
    refusal = _refusal(*exchanges)
    if refusal.status != UNAUTHORIZED:
        raise undecided(Reason.OTHER_STATUS, refusal, status=refusal.status)
    if refusal.header("www-authenticate"):
        return saw("header WWW-Authenticate", refusal)
    return Deviation("a header WWW-Authenticate", "there is none")


@compare("if the first is accepted, the refusal of the last does not contain the key", Of.ANY)
def not_echoed(*exchanges: Exchange) -> Outcome:
    """A mistyped key is nearly the right one, and errors are logged."""
    refusal = _refusal(*exchanges)
    offset = refusal.body.find(WRONG_KEY.removeprefix("Bearer ").encode())
    if offset >= 0:
        return Deviation("no key, or a part of it", "the whole key that was sent").located(refusal, offset)
    if not refusal.body:
        raise undecided(Reason.NO_BODY, refusal)
    return saw("body of a refusal", refusal)


@compare("a wrong key is refused like a missing one", Of.ANY)
def wrong_like_none(*exchanges: Exchange) -> Outcome:
    """A server that accepts any key is not protected.

    The exchanges are the plain request, the one without a key, and the one with a wrong key.
    """
    plain, without, wrong = exchanges
    _refusal(plain, without)
    if not accepted(wrong):
        _refusal(plain, wrong)
        return saw("refusal", without, wrong)
    return Deviation(
        f"a refusal, as without a key (status {without.status})", f"a wrong key is accepted: {ending(wrong)}"
    )


def _refusal(plain: Exchange, last: Exchange) -> Exchange:
    """The last exchange, which is a refusal. Raises Stop if it is not, or if the key is not its cause."""
    expect_plain(plain)
    if accepted(last):
        if not kinds.of_its_kind(last):
            raise undecided(Reason.WRONG_KIND, last, kind=kinds.name(last))
        wrong = header(last.request.headers, "authorization") == WRONG_KEY
        raise refused(Reason.ANY_KEY_TAKEN if wrong else Reason.NO_KEY_NEEDED, last, status=last.status)
    status = last.status
    if status is None or status < 400 or status >= 500 or last.failure is not None or busy(last):
        raise unanswered(last)
    return last
