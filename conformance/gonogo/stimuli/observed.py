"""What a target said, as later requests are made of it.

This reads answers to ask more, not to judge them: whatever is not as it should be makes the later request
impossible, and the rules about the answer itself say what is wrong with it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gonogo import sse
from gonogo.stimuli.stimulus import NotPossible

if TYPE_CHECKING:
    from gonogo.exchange import Exchange


def pieces(exchange: Exchange) -> list[str]:
    """The text of the first choice of a stream, piece by piece; NotPossible where there is none."""
    if exchange.failure is not None:
        raise NotPossible(f"{exchange.id} was not answered whole: {exchange.failure.message}")
    if exchange.status is None or not 200 <= exchange.status < 300:
        raise NotPossible(f"{exchange.id} was answered with {exchange.status}")
    choices = [choice for event in sse.parse(exchange.body).events for choice in _first_choices(event.data)]
    found = [piece for choice in choices if (piece := _text(choice))]
    if found:
        return found
    if any(_reasons(choice) for choice in choices):
        raise NotPossible(f"the tokens of {exchange.id} went into reasoning, which --extra-body may turn off")
    raise NotPossible(f"the stream of {exchange.id} carries no text")


def _first_choices(data: str) -> list[dict[str, Any]]:
    try:
        value = json.loads(data)
    except ValueError:
        return []
    choices = value.get("choices") if isinstance(value, dict) else None
    return [
        choice
        for choice in (choices if isinstance(choices, list) else [])
        if isinstance(choice, dict) and choice.get("index", 0) == 0
    ]


def _text(choice: dict[str, Any]) -> str | None:
    delta = choice.get("delta")
    value = delta.get("content") if isinstance(delta, dict) else choice.get("text")
    return value if isinstance(value, str) else None


def _reasons(choice: dict[str, Any]) -> bool:
    delta = choice.get("delta")
    return isinstance(delta, dict) and bool(delta.get("reasoning_content") or delta.get("reasoning"))
