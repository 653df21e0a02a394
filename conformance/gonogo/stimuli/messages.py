"""Messages that a target generated, sent back to it unchanged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gonogo import sse
from gonogo.reasons import Reason
from gonogo.stimuli.observed import first_choices
from gonogo.stimuli.stimulus import NotPossible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonogo.exchange import Exchange

    Message = dict[str, Any]


def message(exchange: Exchange) -> Message:
    """The message of a whole answer's first choice. Raises NotPossible if it has no text to continue from."""
    found = _first(exchange)
    own = found.get("message")
    if not isinstance(own, dict) or not isinstance(own.get("content"), str) or not own["content"]:
        raise NotPossible(Reason.NO_TEXT, exchange)
    return own


def answered_calls(exchange: Exchange) -> list[Message]:
    """A message with tool calls and a result for each; empty if the answer has no complete calls.

    A call cut by the token limit is not complete: templates may refuse arguments that are not JSON.
    """
    found = _first(exchange)
    own = found.get("message")
    calls = own.get("tool_calls") if isinstance(own, dict) else None
    if (
        not isinstance(own, dict)
        or not isinstance(calls, list)
        or not calls
        or not all(map(_is_whole, calls))
    ):
        return []
    return [own, *({"role": "tool", "tool_call_id": call["id"], "content": "Done."} for call in calls)]


def same_calls(base: Exchange, exchange: Exchange) -> bool:
    """Whether two answers call the same tools with the same arguments. Raises NotPossible if one has no call."""
    return _calls(base) == _calls(exchange)


def _calls(exchange: Exchange) -> dict[int, tuple[object, object]]:
    """The name and arguments of each call by its index, from a whole answer or joined from a stream."""
    found: dict[int, tuple[str, str]] = {}
    for place, function in _functions(exchange):
        name, arguments = found.get(place, ("", ""))
        more = function.get("name"), function.get("arguments")
        name, arguments = (
            old + new if isinstance(new, str) else old
            for old, new in zip((name, arguments), more, strict=True)
        )
        found[place] = name, arguments
    if not found:
        raise NotPossible(Reason.NO_CALL, exchange)
    return {place: (name, _value(arguments)) for place, (name, arguments) in found.items()}


def _functions(exchange: Exchange) -> Iterator[tuple[int, Message]]:
    """The function of each call or fragment, with the index of the call."""
    if exchange.is_stream:
        texts = [event.data for event in sse.parse(exchange.body).events]
        holders = [choice.get("delta") for text in texts for choice in first_choices(text)]
    else:
        holders = [_first(exchange).get("message")]
    for holder in holders:
        calls = holder.get("tool_calls") if isinstance(holder, dict) else None
        for place, call in enumerate(calls if isinstance(calls, list) else []):
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict):
                index = call.get("index", place)
                yield (index if isinstance(index, int) else place), function


def _value(arguments: str) -> object:
    """The JSON value, so that whitespace does not matter; the text if it is not JSON."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def _first(exchange: Exchange) -> dict[str, Any]:
    """The first choice of an answer; empty if there is none."""
    if exchange.failure is not None or exchange.status is None or not 200 <= exchange.status < 300:
        return {}
    try:
        value = json.loads(exchange.body)
    except ValueError:
        return {}
    choices = value.get("choices") if isinstance(value, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}


def _is_whole(call: object) -> bool:
    if not isinstance(call, dict) or not isinstance(call.get("id"), str):
        return False
    function = call.get("function")
    try:
        return isinstance(function, dict) and isinstance(json.loads(function["arguments"]), dict)
    except (KeyError, TypeError, ValueError):
        return False
