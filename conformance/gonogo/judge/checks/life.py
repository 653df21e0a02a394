"""Checks whether the target still answers after hostile requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.judge import kinds
from gonogo.judge.checks.acceptance import accepted, busy, ending, expect_kind, timed_out
from gonogo.judge.outcome import Deviation, saw, unanswered, undecided
from gonogo.judge.steps import Of, check, compare
from gonogo.reasons import Reason
from gonogo.stimuli.life import suspects

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome


@compare("it is answered as if no client had disconnected", Of.ANY)
def answered_again(left: Exchange, again: Exchange) -> Outcome:
    """The model still answers after the client disconnected from a plain request.

    A refused stream proves nothing, and a slow target may still be generating the abandoned answer.
    """
    if not accepted(left):
        raise unanswered(left)
    if again.failure is None and accepted(again):
        expect_kind(again)
        return saw(kinds.name(again), again)
    too_large = again.failure is not None and again.failure.kind is FailureKind.TOO_LARGE
    if too_large or timed_out(again) or again.status in {401, 403, 408, 429, 499, 503}:
        raise unanswered(again)
    return Deviation("an answer, as to any plain request", ending(again))


@check("the target still answers afterwards", Of.ANY)
def still_answers(exchange: Exchange) -> Outcome:
    """A request that was accepted before is accepted again; its key lists the suspects if it is not."""
    if exchange.failure is None and accepted(exchange):
        if not kinds.of_its_kind(exchange):
            raise undecided(Reason.WRONG_KIND, exchange, kind=kinds.name(exchange))
        return saw(kinds.name(exchange), exchange)
    if busy(exchange):
        raise undecided(Reason.ALIVE_BUSY, exchange, ending=ending(exchange))
    before = suspects(exchange.stimulus)
    if not before:
        raise undecided(Reason.ALIVE_SLOW, exchange, ending=ending(exchange))
    after = f"after {'one of ' if len(before) > 1 else ''}{' | '.join(before)}"
    return Deviation("the answer that a plain request had before", f"{ending(exchange)}, {after}")
