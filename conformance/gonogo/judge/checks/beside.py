"""Concurrent requests: errors, and answers that belong to another request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.checks.acceptance import accepted, refusal, timed_out, turned_away
from gonogo.judge.checks.counts import text
from gonogo.judge.outcome import Deviation, Stop, saw, undecided
from gonogo.judge.steps import Of, compare
from gonogo.reasons import Reason
from gonogo.stimuli.beside import is_beside, key_alone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome

TELLING = 3
"""The minimum number of words: a shorter text can answer two questions."""


@compare("each request gets its own answer in parallel too", Of.ANY)
def answered_beside(*exchanges: Exchange) -> Outcome:
    """The wording may differ, because batching can change rounding; other rules check this."""
    alone = {e.stimulus: e for e in exchanges if not is_beside(e.stimulus) and _said(e)}
    if not alone:
        raise undecided(Reason.NO_TEXT, *exchanges)
    for one in exchanges:
        own = alone.get(key_alone(one.stimulus))
        if own is None or own is one:
            continue
        problem = _failing(one) or _mistaken(one, own, alone.values())
        if problem is not None:
            places = ((one.id, problem), (own.id, f"the text is {_said(own)!r}"))
            return Deviation("the answer that comes where nothing else is under way", problem, also=places)
    return saw("greedy text", *alone.values())


def _failing(one: Exchange) -> str | None:
    """How it failed; None if it did not fail, was rejected as busy, or timed out."""
    if turned_away(one) or timed_out(one) or one.status in {401, 403}:
        return None
    if not accepted(one) or one.failure is not None:
        return refusal(one)
    if one.is_stream and reading.has_error(one):
        return "the stream ends in an error"
    return None


def _mistaken(one: Exchange, own: Exchange, others: Iterable[Exchange]) -> str | None:
    """A clause about a text that answers another question; else None."""
    said = _said(one)
    if said == _said(own) or len(said.split()) < TELLING:
        return None
    foreign = any(_said(e) == said for e in others if _question(e) != _question(one))
    return f"the text is that of another question, {said!r}" if foreign else None


def _question(exchange: Exchange) -> str:
    asked = exchange.request.fields
    return json.dumps([asked.get("messages"), asked.get("prompt")])


def _said(exchange: Exchange) -> str:
    """The text without spaces at its ends; "" if there is none."""
    try:
        return text(exchange).strip() if accepted(exchange) else ""
    except Stop:
        return ""
