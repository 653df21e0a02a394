"""Checks on several choices: the requested number, complete and streamed, and all of them counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import calls, kinds, reading
from gonogo.judge.checks.counts import all_of_it, generated, piece, refuse_reasoning
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, check
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome


CHARACTER = 4
"""The tokens that always make a character, which has at most four bytes (RFC 3629), while a token has at least one."""


@check("there are {number:d} choices")
def number_whole(exchange: Exchange, number: int) -> Outcome:
    """The number is `n`; another rule checks answers without choices."""
    found = len(reading.choices(exchange))
    if found != number:
        return _deviation(number, found)
    if not kinds.of_its_kind(exchange):
        raise undecided(Reason.WRONG_KIND, exchange, kind=kinds.name(exchange))
    return saw("choice", exchange, count=found)


@check("the stream has {number:d} choices", Of.BEGUN)
def number_streamed(exchange: Exchange, number: int) -> Outcome:
    """The chunks have `n` indexes, from 0."""
    found = sorted(reading.by_choice(exchange))
    if found == list(range(number)):
        return saw("streamed choice", exchange, count=number)
    reading.ended(exchange)
    if len(found) == number:
        return Deviation(f"indexes 0 to {number - 1}", f"the indexes are {', '.join(map(str, found))}")
    return _deviation(number, len(found))


@check("each of the {number:d} choices has text", Of.BEGUN)
def each_has_text(exchange: Exchange, number: int) -> Outcome:
    """If one choice has text, the others have some too; if no choice has text, `n` is not the cause."""
    texts = _texts(exchange)
    if len(texts) != number:
        raise undecided(Reason.FEWER_CHOICES, exchange, found=len(texts), number=number)
    if not any(texts.values()):
        raise undecided(Reason.NO_TEXT, exchange)
    reading.unfailed(exchange)
    empty = [index for index, said in texts.items() if not said]
    if not empty:
        return saw("choice with text", exchange, count=number)
    refuse_reasoning(exchange)
    if set(calls.finish_reasons(exchange)) != {"length"} or (_limit(exchange) or 0) < CHARACTER:
        # A model may end a choice before its first token, and its tokens may be parts of one character.
        raise undecided(Reason.NO_TEXT, exchange)
    all_of_it(exchange)
    return Deviation("text in every choice that its limit cut", f"choice {empty[0]} has none")


def _texts(exchange: Exchange) -> dict[int, str]:
    """The text of each choice by its index, or by its position if a whole answer numbers them wrong."""
    if not exchange.is_stream:
        return {place: piece(choice) for place, choice in enumerate(reading.choices(exchange))}
    return {
        index: "".join(piece(choice) for _, choice in parts)
        for index, parts in sorted(reading.by_choice(exchange).items())
    }


@check("the tokens of all {number:d} choices are counted once", Of.BEGUN)
def all_counted(exchange: Exchange, number: int) -> Outcome:
    """Each choice is counted once. Undecided unless each reached its limit, so that its size is known."""
    streamed = exchange.is_stream
    found = len(reading.by_choice(exchange) if streamed else reading.choices(exchange))
    if found != number:
        raise undecided(Reason.FEWER_CHOICES, exchange, found=found, number=number)
    if calls.finish_reasons(exchange) != ["length"] * number:
        raise undecided(Reason.LIMIT_NOT_REACHED_BY_ALL, exchange)
    limit = _limit(exchange)
    if not limit:
        raise undecided(Reason.NO_COUNT, exchange, field="max_tokens")
    counted = generated(exchange)
    if counted == number * limit:
        return saw("completion_tokens", exchange)
    if counted > number * limit:
        refuse_reasoning(exchange)
    return Deviation(f"{number * limit} completion tokens", f"completion_tokens is {counted}")


def _limit(exchange: Exchange) -> int | None:
    asked = exchange.request.fields
    return reading.count(asked.get("max_completion_tokens", asked.get("max_tokens")))


def _deviation(expected: int, found: int) -> Deviation:
    return Deviation(f"{expected} choices", "there is 1" if found == 1 else f"there are {found}")
