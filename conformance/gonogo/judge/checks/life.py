"""Whether the target still answers after hostile requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import kinds
from gonogo.judge.checks.acceptance import accepted, busy, ending
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, check
from gonogo.reasons import Reason
from gonogo.stimuli.life import suspects

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome


@check("the target still answers afterwards", Of.ANY)
def still_answers(exchange: Exchange) -> Outcome:
    """A request that was accepted before is accepted again; its key names the requests to blame where it is not."""
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
