"""Checks on variations of an accepted request: whether they are accepted too, and keep their effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind, header
from gonogo.judge import kinds, reading, token_logprobs
from gonogo.judge.checks.acceptance import (
    accepted,
    ending,
    expect_kind,
    expect_plain,
    refusal,
    turned_away,
)
from gonogo.judge.checks.counts import text
from gonogo.judge.checks.refusals import not_failing
from gonogo.judge.outcome import Deviation, refused, saw, unanswered, undecided, unhelpful_status
from gonogo.judge.steps import Of, compare
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

LENGTH_REQUIRED = 411


@compare("the last causes no server error", Of.ANY)
def last_not_failing(first: Exchange, last: Exchange) -> Outcome:
    """Accepted or refused; if the plain form fails as well, or is refused, the variation is not the cause."""
    if first.status is not None and (400 <= first.status < 500 or first.status == 501):
        if first.status in {401, 403} or turned_away(first):
            raise unhelpful_status(first)
        raise refused(Reason.REFUSED_PLAIN, first, status=first.status)
    expect_plain(first)
    return not_failing(last)


@compare("the last is answered like the first, unless it is refused with 411", Of.ANY)
def answered_however_framed(first: Exchange, last: Exchange) -> Outcome:
    """Framing does not change the meaning of a message: neither a refusal nor a missing answer is correct."""
    return _as_the_first(first, last, "an answer, as to the same request with a length")


@compare("both of the others are answered like the first", Of.ANY)
def both_answered(first: Exchange, one: Exchange, other: Exchange) -> Outcome:
    """A client's request id is only for logs; two requests may share one."""
    outcomes = [_as_the_first(first, e, "an answer, as to a request without the id") for e in (one, other)]
    return next((found for found in outcomes if isinstance(found, Deviation)), outcomes[0])


def _as_the_first(first: Exchange, last: Exchange, expected: str) -> Outcome:
    expect_plain(first)
    if accepted(last) and last.failure is None:
        expect_kind(last)
        return saw(kinds.name(last), last)
    if last.status == LENGTH_REQUIRED:
        raise refused(Reason.REFUSED, last, status=last.status)
    if (last.failure is not None and last.failure.kind is FailureKind.TOO_LARGE) or _may_be_lost(last):
        raise unanswered(last)
    if last.status in {401, 403} or turned_away(last):
        raise unanswered(last)
    return Deviation(expected, refusal(last)).located(last, 0)


def _may_be_lost(last: Exchange) -> bool:
    """Whether a 411 may be lost: it leaves the body unread, and closing can reset the connection (RFC 9112, 9.6)."""
    reset = last.failure is not None and last.failure.kind is FailureKind.RESET
    return reset and header(last.request.headers, "transfer-encoding") is not None


@compare("if the whole text begins with the prompt, the streamed one does too", Of.ANY)
def echoed_in_stream(whole: Exchange, streamed: Exchange) -> Outcome:
    """A server that supports echo does so in streams: the prompt first, with its log probabilities if requested."""
    if not accepted(whole):
        raise undecided(Reason.PLAIN_REFUSED, whole, ending=ending(whole))
    prompt = str(whole.request.fields.get("prompt"))
    if not text(whole).lstrip().startswith(prompt):
        raise undecided(Reason.NO_ECHO, whole)
    if streamed.status in {401, 403} or turned_away(streamed):
        raise unanswered(streamed)
    if not accepted(streamed) or streamed.failure is not None:
        return Deviation("a stream that begins with the prompt", refusal(streamed))
    reading.ended(streamed)
    said = text(streamed)
    if not said.lstrip().startswith(prompt):
        return Deviation(f"a stream that begins with {prompt!r}", f"the text is {said!r}")
    entries, given = (len(token_logprobs.arrays(e)["tokens"]) for e in (whole, streamed))
    if given + 1 < entries:
        return Deviation(f"{entries} log probabilities, as in the whole answer", f"there are {given}")
    return saw("stream that begins with the prompt", streamed)
