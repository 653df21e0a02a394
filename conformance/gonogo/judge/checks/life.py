"""Whether the target lives on after what it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge.checks.acceptance import accepted, busy, ending
from gonogo.judge.outcome import BUSY, Deviation, Undecided
from gonogo.judge.steps import Of, check
from gonogo.stimuli.life import suspects

if TYPE_CHECKING:
    from gonogo.exchange import Exchange


@check("the target still answers afterwards", Of.ANY)
def still_answers(exchange: Exchange) -> Deviation | None:
    """A request that was answered well before is answered well again; the key says whom to accuse if not."""
    if exchange.failure is None and accepted(exchange):
        return None
    if busy(exchange):
        raise Undecided(f"{exchange.id}: {ending(exchange)}, which the living say too")
    before = suspects(exchange.stimulus)
    if not before:
        told = f"{exchange.id}: {ending(exchange)}, as for requests before it"
        raise Undecided(f"{told}, so that nothing tells who took the time; {BUSY}")
    after = f"after {'one of ' if len(before) > 1 else ''}{' | '.join(before)}"
    return Deviation("the answer that a plain request had before", f"{ending(exchange)}, {after}")
