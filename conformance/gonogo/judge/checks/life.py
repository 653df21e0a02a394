"""Whether the target still answers after hostile requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.judge import kinds
from gonogo.judge.checks.acceptance import accepted, busy, ending
from gonogo.judge.outcome import Deviation, saw, unanswered, undecided
from gonogo.judge.steps import Of, check
from gonogo.reasons import Reason
from gonogo.stimuli.life import suspects

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome


@check("it is answered as if its stream had not been left", Of.ANY)
def answered_again(exchange: Exchange) -> Outcome:
    """After a plain question only, the model still answers."""
    if exchange.failure is None and accepted(exchange):
        if not kinds.of_its_kind(exchange):
            raise undecided(Reason.WRONG_KIND, exchange, kind=kinds.name(exchange))
        return saw(kinds.name(exchange), exchange)
    too_large = exchange.failure is not None and exchange.failure.kind is FailureKind.TOO_LARGE
    if too_large or exchange.status in {401, 403, 429, 503}:
        raise unanswered(exchange)
    return Deviation("an answer, as to any plain request", ending(exchange))


@check("the target still answers afterwards", Of.ANY)
def still_answers(exchange: Exchange) -> Outcome:
    """A request that was accepted before is accepted again; its key names the requests to blame otherwise."""
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
