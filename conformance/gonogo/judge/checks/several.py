"""Several choices: as many as were asked for, whole and streamed, and all of them counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import calls, reading
from gonogo.judge.checks.counts import generated
from gonogo.judge.outcome import Deviation, Undecided
from gonogo.judge.steps import Of, check

if TYPE_CHECKING:
    from gonogo.exchange import Exchange


@check("there are {number:d} choices")
def number_whole(exchange: Exchange, number: int) -> Deviation | None:
    """As many as `n` says; none at all is another rule's matter."""
    found = len(reading.choices(exchange))
    return None if found == number else _deviation(number, found)


@check("the stream has {number:d} choices", Of.BEGUN)
def number_streamed(exchange: Exchange, number: int) -> Deviation | None:
    """Chunks of as many indexes as `n` says, from 0 on."""
    found = sorted(reading.by_choice(exchange))
    if found == list(range(number)):
        return None
    reading.ended(exchange)
    if len(found) == number:
        return Deviation(f"indexes 0 to {number - 1}", f"the indexes are {', '.join(map(str, found))}")
    return _deviation(number, len(found))


@check("the tokens of all {number:d} choices are counted", Of.BEGUN)
def all_counted(exchange: Exchange, number: int) -> Deviation | None:
    """Undecided unless each choice reached its limit, which is then known to be its size."""
    streamed = exchange.is_stream
    found = len(reading.by_choice(exchange) if streamed else reading.choices(exchange))
    if found != number:
        raise Undecided(f"{exchange.id} has {found} of {number} choices")
    if calls.finish_reasons(exchange) != ["length"] * number:
        raise Undecided(f"not every choice of {exchange.id} reached its limit")
    asked = exchange.request.fields
    limit = reading.count(asked.get("max_completion_tokens", asked.get("max_tokens"))) or 0
    counted = generated(exchange)
    if counted >= number * limit:
        return None
    return Deviation(f"{number * limit} completion tokens", f"completion_tokens is {counted}")


def _deviation(expected: int, found: int) -> Deviation:
    return Deviation(f"{expected} choices", "there is 1" if found == 1 else f"there are {found}")
