"""Reads tool calls, from a complete message or joined from the fragments of a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.outcome import undecided
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.reading import Chunk, Object


@dataclass(frozen=True, slots=True)
class Fragment:
    """One entry of a delta's `tool_calls`, and its chunk."""

    chunk: Chunk
    value: Object

    @property
    def index(self) -> int | None:
        """The index of its call, or None if it has none."""
        return reading.count(self.value.get("index"))


def finish_reasons(exchange: Exchange) -> list[object]:
    """The finish reasons, without null and ""."""
    if exchange.is_stream:
        found = [c.get("finish_reason") for chunk in reading.chunks(exchange) for c in chunk.choices]
    else:
        found = [choice.get("finish_reason") for choice in reading.choices(exchange)]
    return [reason for reason in found if reason]


def uncut(exchange: Exchange) -> None:
    """Raise Stop if a limit or filter truncated the answer, so that a missing part might have followed."""
    for reason in ("length", "content_filter"):
        if reason in finish_reasons(exchange):
            raise undecided(Reason.CUT_OFF, exchange, finish_reason=reason)


def whole(exchange: Exchange) -> list[Object]:
    """The calls of a whole answer's first choice. Raises Stop if they cannot be determined."""
    message = reading.choices(exchange)[0].get("message")
    if not isinstance(message, dict):
        raise undecided(Reason.NO_MESSAGE, exchange)
    if message.get("refusal"):
        raise undecided(Reason.MODEL_REFUSED, exchange)
    found = message.get("tool_calls")
    if found is not None and not isinstance(found, list):
        raise undecided(Reason.FIELD_NOT, exchange, field="tool_calls", kind="a list")
    return reading.objects(found)


def fragments(exchange: Exchange) -> list[Fragment]:
    """The fragments of calls in the first choice of a stream, in order. Raises Stop if the model refused."""
    found = []
    for chunk, choice in reading.by_choice(exchange).get(0, []):
        delta = reading.delta(choice)
        if delta.get("refusal"):
            raise undecided(Reason.MODEL_REFUSED, exchange)
        found += [Fragment(chunk, value) for value in reading.objects(delta.get("tool_calls"))]
    return found


def by_call(exchange: Exchange) -> dict[int, list[Fragment]]:
    """The fragments of each call by its index. Raises Stop if there is none with an index."""
    found: dict[int, list[Fragment]] = {}
    for fragment in fragments(exchange):
        if fragment.index is not None:
            found.setdefault(fragment.index, []).append(fragment)
    if not found:
        if fragments(exchange):
            raise undecided(Reason.FIELD_NOT, exchange, field="tool_calls[].index", kind="a whole number")
        raise undecided(Reason.NO_CALL, exchange)
    return found


def some(exchange: Exchange) -> list[Object]:
    """The calls of a whole answer. Raises Stop if it has none."""
    found = whole(exchange)
    if not found:
        raise undecided(Reason.NO_CALL, exchange)
    return found


def function(call: Object) -> Object:
    """The function of a call or fragment; empty if it is not an object."""
    found = call.get("function")
    return found if isinstance(found, dict) else {}


def names(exchange: Exchange) -> list[object]:
    """The names of the called functions, in order, whole or streamed."""
    if not exchange.is_stream:
        return [function(call).get("name") for call in some(exchange)]
    calls = sorted(by_call(exchange).items())
    return [
        next((name for part in parts if (name := function(part.value).get("name"))), None)
        for _, parts in calls
    ]


def arguments(exchange: Exchange) -> list[str]:
    """The text of each call's arguments, whole or joined. Raises Stop if one is not a string."""
    if not exchange.is_stream:
        return [_string(function(call).get("arguments"), exchange) for call in some(exchange)]
    found = []
    for index, parts in sorted(by_call(exchange).items()):
        if len(ids(parts)) > 1:
            raise undecided(Reason.SHARED_INDEX, exchange, index=index)
        found.append("".join(_string(function(part.value).get("arguments", ""), exchange) for part in parts))
    return found


def ids(parts: list[Fragment]) -> list[str]:
    """The distinct ids of these fragments, in order; "" does not count as an id."""
    found = [part.value.get("id") for part in parts]
    return list(dict.fromkeys(text for text in found if isinstance(text, str) and text))


def _string(value: object, exchange: Exchange) -> str:
    if not isinstance(value, str):
        raise undecided(Reason.FIELD_NOT, exchange, field="arguments", kind="a string")
    return value
