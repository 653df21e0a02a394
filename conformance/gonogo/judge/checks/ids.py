"""Checks on the form of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import check
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome


@check('the id begins with "{prefix}"')
def begins_with(exchange: Exchange, prefix: str) -> Outcome:
    """The id of a complete answer, or of the first chunk; other rules check ids that are missing or not a string."""
    streamed = exchange.is_stream
    value = reading.chunks(exchange)[0].value if streamed else reading.answer(exchange)
    actual = value.get("id")
    if not isinstance(actual, str) or not actual:
        raise undecided(Reason.FIELD_NOT, exchange, field="id", kind="a string that is not empty")
    if actual.startswith(prefix):
        return saw('"id"', exchange)
    return Deviation(f'an id that begins with "{prefix}"', f"the id is {actual!r}")
