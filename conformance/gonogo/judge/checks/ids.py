"""How ids look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import check

if TYPE_CHECKING:
    from gonogo.exchange import Exchange


@check('the id begins with "{prefix}"')
def begins_with(exchange: Exchange, prefix: str) -> Deviation | None:
    """The id of a whole answer, or of the first chunk; one that is none is the matter of other rules."""
    streamed = exchange.is_stream
    value = reading.chunks(exchange)[0].value if streamed else reading.answer(exchange)
    actual = value.get("id")
    if not isinstance(actual, str) or not actual:
        raise Undecided(f"{exchange.id} has no id")
    if actual.startswith(prefix):
        return None
    return Deviation(f'an id that begins with "{prefix}"', f"the id is {actual!r}")
