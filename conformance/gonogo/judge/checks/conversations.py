"""Conversations of more than text: pictures are seen, or refused in so many words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge.checks.acceptance import accepted, said_instead
from gonogo.judge.checks.counts import prompt_tokens
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import Of, check, compare

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


@compare("the picture counts as tokens of the prompt")
def picture_counts(*exchanges: Exchange) -> Deviation | None:
    """With a picture the prompt is longer than the same text alone; where it is not, nobody saw the picture."""
    text, both = map(prompt_tokens, exchanges)
    if text == 0:
        raise Undecided(f"{exchanges[0].id} counts no tokens of a prompt")
    if both > text:
        return None
    return Deviation(f"more than the {text} prompt tokens of the text alone", f"prompt_tokens is {both}")
