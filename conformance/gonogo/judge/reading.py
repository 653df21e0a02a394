"""Reads bodies: one JSON value, or the chunks of a stream. Each exchange is parsed once. Unreadable parts are
skipped: other rules check that bodies are JSON and events are objects.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from gonogo import sse
from gonogo.judge.once import once
from gonogo.judge.outcome import undecided
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange

DONE = "[DONE]"
_NO_FIELDS = (sse.AnomalyKind.UNKNOWN_FIELD, sse.AnomalyKind.FIELD_WITHOUT_COLON)
Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Chunk:
    """The JSON object of one event, and the byte offsets of the event in the body."""

    value: Object
    offset: int
    end: int

    @property
    def choices(self) -> list[Object]:
        """The choices that are objects; none if the field is not an array."""
        return objects(self.value.get("choices"))


def parse(text: str | bytes) -> object:
    """The JSON value. Raises ValueError for anything that RFC 8259 does not allow, including NaN and Infinity.

    A lone surrogate, which JSON can escape but no text can contain, becomes "?". Raises Stop if values are nested too
    deeply: RFC 8259 section 9 allows parsers to have such a limit.
    """
    try:
        value: object = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise undecided(Reason.TOO_DEEP) from None
    escaped = "\\ud" in text.lower() if isinstance(text, str) else b"\\ud" in text.lower()
    if not escaped:
        return value
    return json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))


@once
def answer(exchange: Exchange) -> Object:
    """The body as a JSON object. Raises Stop if it is not one."""
    try:
        value = parse(exchange.body)
    except ValueError:
        raise undecided(Reason.NOT_JSON, exchange) from None
    if not isinstance(value, dict):
        raise undecided(Reason.NOT_AN_OBJECT, exchange)
    return value


@once
def stream(exchange: Exchange) -> sse.EventStream:
    """The body as server-sent events, with the anomalies of the strict parser."""
    return sse.parse(exchange.body)


@once
def chunks(exchange: Exchange) -> tuple[Chunk, ...]:
    """The objects in the stream, in order, without error frames. Raises Stop if there is none."""
    found = tuple(
        Chunk(value, event.offset, event.end)
        for event in stream(exchange).events
        if not is_error(event.data) and (value := object_of(event.data)) is not None
    )
    if not found:
        raise undecided(Reason.NO_CHUNKS, exchange)
    return found


def is_error(data: str) -> bool:
    """Whether the data of an event is an error frame, which ends a stream."""
    value = object_of(data)
    return value is not None and bool(value.get("error"))


@once
def has_error(exchange: Exchange) -> bool:
    """Whether an event of the body, read as a stream, is an error frame."""
    return any(is_error(event.data) for event in stream(exchange).events)


def unfailed(exchange: Exchange) -> None:
    """Raise Stop if a stream was cut off or failed, so that it might have continued."""
    if exchange.failure is not None:
        raise undecided(Reason.BROKEN_OFF, exchange, failure=exchange.failure.message)
    if has_error(exchange):
        raise undecided(Reason.ERROR_FRAME, exchange)


def ended(exchange: Exchange) -> None:
    """Raise Stop if a missing part of a stream might have followed: it was cut off or failed, or an event is
    unreadable.
    """
    unfailed(exchange)
    if exchange.is_stream and _has_lost(exchange):
        raise undecided(Reason.EVENT_LOST, exchange)


@once
def _has_lost(exchange: Exchange) -> bool:
    """Whether a chunk may be missing: data is not a JSON object, is outside of a data field, or is incomplete."""
    found = stream(exchange)
    if any(event.data != DONE and object_of(event.data) is None for event in found.events):
        return True
    if any(line.text.startswith("{") for line in found.of(*_NO_FIELDS)):
        return True
    unclosed = [exchange.body[one.offset :] for one in found.of(sse.AnomalyKind.INCOMPLETE_EVENT)]
    return any(b"{" in rest for rest in unclosed)


def objects(value: object) -> list[Object]:
    """The objects in an array; none if it is not an array."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def choices(exchange: Exchange) -> list[Object]:
    """The choices of a whole answer. Raises Stop if there is none."""
    found = objects(answer(exchange).get("choices"))
    if not found:
        raise undecided(Reason.NO_CHOICES, exchange)
    return found


def usage(value: Object) -> Object | None:
    """The usage object, or None if it is absent, null or something else."""
    found = value.get("usage")
    return found if isinstance(found, dict) else None


def count(value: object) -> int | None:
    """An integer, or None for anything else (including booleans)."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def by_choice(exchange: Exchange) -> dict[int, list[tuple[Chunk, Object]]]:
    """The chunks of each choice in order, with the choice itself; choices without an index are omitted.

    Raises Stop if no choice has one.
    """
    found: dict[int, list[tuple[Chunk, Object]]] = {}
    for chunk in chunks(exchange):
        for choice in chunk.choices:
            index = count(choice.get("index"))
            if index is not None:
                found.setdefault(index, []).append((chunk, choice))
    if not found:
        raise undecided(Reason.NO_INDEXED_CHOICE, exchange)
    return found


def kind(value: object) -> str:
    """The JSON type of a value, with its article."""
    match value:
        case None | bool():
            return json.dumps(value)
        case str():
            return "a string"
        case int() | float():
            return "a number"
        case list():
            return "an array"
        case _:
            return "an object"


def field(value: Object, name: str) -> str:
    """The value of a field of an object, as a clause: missing, or as JSON (at most 80 characters)."""
    if name not in value:
        return f'"{name}" is missing'
    shown = json.dumps(value[name], ensure_ascii=False)
    if len(shown) > 80:
        shown = shown[:80] + ('…"' if shown.startswith('"') else "…")
    return f'"{name}" is {shown}'


def delta(choice: Object) -> Object:
    """The delta of a choice; empty if it has no readable one."""
    found = choice.get("delta")
    return found if isinstance(found, dict) else {}


def object_of(data: str) -> Object | None:
    """The JSON object in a text; None if it is not one."""
    try:
        value = parse(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
