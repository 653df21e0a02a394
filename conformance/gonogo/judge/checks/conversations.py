"""Messages with more than text: an image is accepted, or refused with 400."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import kinds
from gonogo.judge.checks.acceptance import accepted
from gonogo.judge.outcome import Deviation, saw, unanswered, undecided
from gonogo.judge.steps import Of, check
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome


@check("it is accepted, or refused with 400", Of.ANY)
def taken_or_refused(exchange: Exchange) -> Outcome:
    """The contract refuses unsupported content with 400; another rule checks server errors."""
    status = exchange.status
    if status == 400:
        return saw("status 400", exchange)
    if accepted(exchange):
        if exchange.failure is not None:
            raise unanswered(exchange)
        if not kinds.of_its_kind(exchange):
            raise undecided(Reason.WRONG_KIND, exchange, kind=kinds.name(exchange))
        return saw(kinds.name(exchange), exchange)
    if status is None or status in {401, 403, 429} or status >= 500:
        raise unanswered(exchange)
    return Deviation("status 400, or an answer", f"the status is {status}")
