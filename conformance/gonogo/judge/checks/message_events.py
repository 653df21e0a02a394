"""Checks on the events of a streamed message: their fields, and the deltas of a block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo.judge import messages, named_events, reading, shape
from gonogo.judge.message_order import (
    BLOCK_DELTA,
    BLOCK_START,
    BLOCK_STOP,
    ERROR,
    MESSAGE_DELTA,
    MESSAGE_START,
    MESSAGE_STOP,
    PING,
)
from gonogo.judge.outcome import Deviation, saw, undecided
from gonogo.judge.steps import Of, check
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gonogo.exchange import Exchange
    from gonogo.judge.named_events import Named
    from gonogo.judge.outcome import Outcome
    from gonogo.judge.reading import Object
    from gonogo.judge.shape import Misfit

EVENTS: Final[Mapping[str, str]] = {
    MESSAGE_START: "MessageStartEvent",
    BLOCK_START: "MessageBlockStartEvent",
    BLOCK_DELTA: "MessageBlockDeltaEvent",
    BLOCK_STOP: "MessageBlockStopEvent",
    MESSAGE_DELTA: "MessageDeltaEvent",
    MESSAGE_STOP: "MessageStopEvent",
    PING: "MessagePingEvent",
}
"""The schema of each event type except errors, which are accepted in any form."""
BLOCKS: Final[Mapping[str, str]] = {
    "text": "MessageTextBlock",
    "tool_use": "MessageToolUseBlock",
    "thinking": "MessageThinkingBlock",
    "redacted_thinking": "MessageRedactedThinkingBlock",
}
OF_OTHER_SURFACES: Final = frozenset(
    {"output_text", "input_text", "summary_text", "reasoning_text", "reasoning"}
    | {"function_call", "tool_call", "tool_calls", "function"}
)
"""Types of parts and items of chat and responses, which Messages clients do not read."""
DELTAS: Final[Mapping[str, str]] = {
    "text_delta": "MessageTextDelta",
    "input_json_delta": "MessageInputJsonDelta",
    "thinking_delta": "MessageThinkingDelta",
    "signature_delta": "MessageSignatureDelta",
    "citations_delta": "MessageCitationsDelta",
}
"""The schemas of blocks and deltas by their type. A server may have other types, which are not checked."""


@check('"{field}" in {kind:w} fits its schema', Of.BEGUN)
def field_fits(exchange: Exchange, field: str, kind: str) -> Outcome:
    """The field of each event of a type, and everything inside it."""
    return field_fits_apart(exchange, field, kind, [])


@check('"{field}" in {kind:w}, apart from {others:json}, fits its schema', Of.BEGUN)
def field_fits_apart(exchange: Exchange, field: str, kind: str, others: list[str]) -> Outcome:
    """As above, without the parts that other rules own."""
    found = _some(exchange, kind)
    for event in found:
        for misfit in shape.misfits(EVENTS[kind], event.value):
            if shape.owned(misfit, field) and not _is_owned(misfit, others):
                return _deviation(exchange, event, misfit)
    return saw(f'{kind} with "{field}"', exchange, count=len(found))


@check("the message begins without content", Of.BEGUN)
def begins_empty(exchange: Exchange) -> Outcome:
    """The list is empty, and clients append to it."""
    found = _some(exchange, MESSAGE_START)
    for event in found:
        message = messages.part(event, "message")
        if message.get("content") != []:
            return _at(exchange, event, '"content": []', reading.field(message, "content"))
    return saw("message without content", exchange, count=len(found))


@check("the message begins without a stop reason", Of.BEGUN)
def begins_unstopped(exchange: Exchange) -> Outcome:
    """Null and not absent, because the message has not ended."""
    found = _some(exchange, MESSAGE_START)
    for event in found:
        message = messages.part(event, "message")
        if "stop_reason" not in message or message["stop_reason"] is not None:
            return _at(exchange, event, '"stop_reason": null', reading.field(message, "stop_reason"))
    return saw('"stop_reason" that is null', exchange, count=len(found))


@check("the events of blocks have block numbers", Of.BEGUN)
def numbered(exchange: Exchange) -> Outcome:
    """Each event has an integer from 0; another rule checks its value."""
    found = messages.of_kind(exchange, BLOCK_START, BLOCK_DELTA, BLOCK_STOP)
    for event in found:
        number = messages.index(event)
        if number is None or number < 0:
            return _at(exchange, event, '"index" from 0', reading.field(event.value, "index"))
    return saw("event with the number of a block", exchange, count=len(found))


@check("every block starts in the form of its type", Of.BEGUN)
def blocks_begin(exchange: Exchange) -> Outcome:
    """Blocks of unknown types are ignored, unless another surface has them. Another rule checks tool uses."""
    return _parts(exchange, BLOCK_START, "content_block", BLOCKS)


@check("every delta has the fields of its type", Of.BEGUN)
def deltas_fit(exchange: Exchange) -> Outcome:
    """Deltas of unknown types are ignored."""
    return _parts(exchange, BLOCK_DELTA, "delta", DELTAS)


@check("every delta is of the kind of its block", Of.BEGUN)
def delta_of_block(exchange: Exchange) -> Outcome:
    """Text deltas belong to text blocks, input deltas to tool uses, thinking deltas to thinking."""
    types: dict[int | None, object] = {}
    seen = 0
    for event in messages.of_kind(exchange, BLOCK_START, BLOCK_DELTA):
        number = messages.index(event)
        if messages.kind(event) == BLOCK_START:
            types[number] = messages.part(event, "content_block").get("type")
            continue
        given = str(messages.part(event, "delta").get("type"))
        belongs, _ = messages.PIECES.get(given, ("", ""))
        if not belongs or types.get(number) not in BLOCKS:
            continue  # one of them is unknown, or the block never began
        if types[number] != belongs:
            return _at(
                exchange, event, f"{given} in a block of type {belongs}", f"its block is {types[number]}"
            )
        seen += 1
    return saw("delta of the kind of its block", exchange, count=seen)


@check("a stream that fails reports this in an event named error", Of.BEGUN)
def error_told(exchange: Exchange) -> Outcome:
    """The event is named "error" and has this API's envelope: clients read any other form as the end of the text."""
    events = named_events.events(exchange)
    for event in events:
        if not messages.is_error(event):
            continue
        if event.name != ERROR:
            return _at(exchange, event, "an event named error", f'the event is named "{event.name}"')
        if misfit := next(iter(shape.misfits("MessageErrorEnvelope", event.value)), None):
            return _deviation(exchange, event, misfit)
    return saw("event that is no error, or is told as one", exchange, count=len(events))


@check("no event of the stream is an error", Of.BEGUN)
def no_error(exchange: Exchange) -> Outcome:
    """An error event reports a late failure; a valid request should not fail."""
    events = named_events.events(exchange)
    for event in events:
        if messages.is_error(event):
            return _at(exchange, event, "events to the end", f"an error: {str(event.value)[:120]}")
    messages.ended(exchange)
    return saw("event without an error", exchange, count=len(events))


@check('no "[DONE]" is in the stream', Of.BEGUN)
def no_done(exchange: Exchange) -> Outcome:
    """message_stop is the end; [DONE] belongs to chat, and is not JSON."""
    for event in reading.stream(exchange).events:
        if event.data.strip() == reading.DONE:
            return Deviation("message_stop as the last event", "there is a [DONE]").located(
                exchange, event.offset, event.end
            )
    return saw("event", exchange, count=len(named_events.events(exchange)))


@check("the connection is released after message_stop", Of.BEGUN)
def released(exchange: Exchange) -> Outcome:
    """The connection's response ends; otherwise clients that read to the end wait."""
    if not messages.of_kind(exchange, MESSAGE_STOP):
        raise undecided(Reason.NO_END, exchange)
    if exchange.failure is None:
        return saw("end of the response after message_stop", exchange)
    return Deviation("the end of the response", f"after message_stop {exchange.failure.message}")


def owned_by_tools(kind: str, misfit: Misfit) -> bool:
    """Whether a rule about tool uses owns the misfit of a block of this type."""
    return kind == "tool_use" and misfit.field in ("id", "name", "input")


def _parts(exchange: Exchange, kind: str, name: str, components: Mapping[str, str]) -> Outcome:
    """The object under this name in each event of the kind, validated against the schema of its type."""
    seen = 0
    for event in _some(exchange, kind):
        value = messages.part(event, name)
        for misfit in _of_its_type(value, components):
            if not owned_by_tools(str(value.get("type")), misfit):
                return _deviation(exchange, event, misfit)
        seen += value.get("type") in components
    return saw(f"{kind} of a known type", exchange, count=seen)


def _of_its_type(value: Object, components: Mapping[str, str]) -> Iterator[Misfit]:
    if not isinstance(value.get("type"), str):
        yield shape.Misfit("type", "/type", reading.field(value, "type"), missing="type" not in value)
    elif value["type"] in OF_OTHER_SURFACES:
        yield shape.Misfit("type", "/type", f"{reading.field(value, 'type')}, of another API", missing=False)
    elif value["type"] in components:
        yield from shape.misfits(components[value["type"]], value)


def _some(exchange: Exchange, kind: str) -> list[Named]:
    found = messages.of_kind(exchange, kind)
    if not found:
        raise undecided(Reason.NOTHING_SEEN, exchange, what=kind)
    return found


def _is_owned(misfit: Misfit, fields: list[str]) -> bool:
    return any(shape.owned(misfit, field) for field in fields)


def _deviation(exchange: Exchange, event: Named, misfit: Misfit) -> Deviation:
    where = misfit.pointer or "the value itself"
    return _at(exchange, event, f"{where} as its schema describes it", f"{where}: {misfit.message}")


def _at(exchange: Exchange, event: Named, expected: str, found: str) -> Deviation:
    return Deviation(expected, found).located(exchange, event.offset, event.end)
