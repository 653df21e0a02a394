"""Conversations of more than text: pictures are seen, or refused in so many words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge.checks.acceptance import accepted, said_instead
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import Of, check

if TYPE_CHECKING:
    from gonogo.exchange import Exchange


@check("it is taken, or refused with 400", Of.ANY)
def taken_or_refused(exchange: Exchange) -> Deviation | None:
    """400 is how the contract refuses what a model cannot read; a server that fails is another rule's matter."""
    if accepted(exchange) or exchange.status == 400:
        return None
    status = exchange.status
    if status is None or status in {401, 403, 429} or status >= 500:
        raise Undecided(said_instead(exchange))
    return Deviation("status 400, or an answer", f"the status is {status}")
