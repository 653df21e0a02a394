"""Checks on the bytes of a stream: requirements of the server-sent events standard and of clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.judge import reading
from gonogo.judge.outcome import Deviation, Stop, saw, undecided
from gonogo.judge.steps import Of, check
from gonogo.reasons import Reason
from gonogo.sse import AnomalyKind

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome
    from gonogo.sse import Event, EventStream

EVENT_STREAM = "text/event-stream"

EXPECTED = {
    AnomalyKind.INCOMPLETE_EVENT: "a blank line after every event, the last one too",
    AnomalyKind.NO_DATA_EVENT: "data in every event",
    AnomalyKind.CRLF: "lines that end in LF",
    AnomalyKind.CR: "lines that end in LF",
    AnomalyKind.BOM: "no byte order mark",
    AnomalyKind.INVALID_UTF8: "UTF-8 throughout",
    AnomalyKind.NO_SPACE: 'a space after "data:"',
    AnomalyKind.FIELD_WITHOUT_COLON: "fields with a colon",
    AnomalyKind.UNKNOWN_FIELD: "only fields that the standard knows",
    AnomalyKind.EVENT_NAME: "data-only events",
    AnomalyKind.ID_FIELD: "data-only events",
    AnomalyKind.NUL_IN_ID: "data-only events",
    AnomalyKind.RETRY_FIELD: "data-only events",
    AnomalyKind.BAD_RETRY: "data-only events",
    AnomalyKind.MULTI_LINE_DATA: "one data line for each event",
}


@check("the strict parser finds no {kinds}", Of.BEGUN)
def no_anomaly(exchange: Exchange, kinds: str) -> Outcome:
    """None of the named anomalies, in the parser's names, joined by " or "."""
    stream = _stream(exchange)
    found = stream.of(*(AnomalyKind(kind) for kind in kinds.split(" or ")))
    if not found:
        return saw("event with data", exchange, count=sum(bool(event.data) for event in stream.events))
    first = found[0]
    number = sum(stream.counts.get(kind, 0) for kind in {anomaly.kind for anomaly in found})
    times = f", {number} times" if number > 1 else ""
    return Deviation(EXPECTED[first.kind], f"{first.message}{times}").located(exchange, first.offset)


@check("the answer is an event stream", Of.BEGUN)
def is_event_stream(exchange: Exchange) -> Outcome:
    """Content-Type text/event-stream, parameters allowed."""
    if exchange.is_stream:
        return saw(f"Content-Type {EVENT_STREAM}", exchange)
    actual = exchange.header("content-type")
    return Deviation(f"Content-Type: {EVENT_STREAM}", f"Content-Type is {actual or 'absent'}").located(
        exchange, 0
    )


@check("the stream carries chunks", Of.BEGUN)
def carries_chunks(exchange: Exchange) -> Outcome:
    """At least one event is a JSON object; status 200 without events is a silent failure.

    Error frames and objects without a list of choices are not chunks; other rules check those.
    """
    if any(_not_an_object(event.data) is None for event in reading.stream(exchange).events):
        return saw("chunk with a list of choices", exchange, count=_chunks(exchange))
    if exchange.failure is not None and exchange.failure.kind is FailureKind.TIMEOUT:
        reading.ended(exchange)  # reading stopped before its first chunk
    size = len(exchange.body)
    return Deviation(
        "at least one chunk", f"{size} bytes without one" if size else "the body is empty"
    ).located(exchange, 0)


@check('every event but the last "[DONE]" is a JSON object', Of.BEGUN)
def events_are_json(exchange: Exchange) -> Outcome:
    """Event data is JSON; a stream without events is undecided."""
    seen = 0
    for event in _events(exchange):
        if event.data == reading.DONE:
            continue
        problem = _not_an_object(event.data)
        if problem is not None:
            return Deviation("a JSON object as data", problem).located(exchange, event.offset, event.end)
        seen += 1
    return saw("event that is a JSON object", exchange, count=seen)


@check('the stream contains exactly one "[DONE]"', Of.BEGUN)
def one_done(exchange: Exchange) -> Outcome:
    """[DONE] occurs once. A stream that ends with an error frame need not have it."""
    stream = _stream(exchange)
    done = [event for event in stream.events if event.data == reading.DONE]
    if len(done) == 1:
        return saw('"[DONE]"', exchange)
    if len(done) > 1:
        return Deviation('one "data: [DONE]"', f"there are {len(done)}").located(exchange, done[1].offset)
    if exchange.failure is not None and exchange.failure.kind is not FailureKind.RESET:
        raise undecided(Reason.BROKEN_OFF, exchange, failure=exchange.failure.message)
    if reading.has_error(exchange):
        raise undecided(Reason.ERROR_FRAME, exchange)
    last = stream.events[-1] if stream.events else None
    missing = Deviation('"data: [DONE]" as the last event', "the stream ended without it")
    return missing if last is None else missing.located(exchange, last.offset, last.end)


@check('nothing follows the "[DONE]"', Of.BEGUN)
def done_is_last(exchange: Exchange) -> Outcome:
    """The first [DONE] is the last event, as the end of the stream shows."""
    events = _stream(exchange).events
    ends = [position for position, event in enumerate(events) if event.data == reading.DONE]
    if not ends:
        raise undecided(Reason.NO_DONE, exchange)
    rest = [event for event in events[ends[0] + 1 :] if event.data != reading.DONE]
    if not rest:
        return saw('end of the stream after "[DONE]"', exchange, count=int(exchange.failure is None))
    what = f"{len(rest)} more event{'s' if len(rest) > 1 else ''}"
    return Deviation('no event after "[DONE]"', what).located(exchange, rest[0].offset)


@check('the connection is released after the "[DONE]"', Of.BEGUN)
def ends_after_done(exchange: Exchange) -> Outcome:
    """The response ends; otherwise clients that read to the end wait (ml-explore/mlx-lm#1148)."""
    if all(event.data != reading.DONE for event in _stream(exchange).events):
        raise undecided(Reason.NO_DONE, exchange)
    failure = exchange.failure
    if failure is None:
        return saw('end of the response after "[DONE]"', exchange)
    return Deviation("the end of the response", f"after [DONE] {failure.message}")


@check("no event carries an error", Of.BEGUN)
def no_error_event(exchange: Exchange) -> Outcome:
    """An error frame reports a late failure; a valid request should not fail."""
    events = _events(exchange)
    for event in events:
        if reading.is_error(event.data):
            return Deviation("chunks to the end", f"an error: {event.data[:120]}").located(
                exchange, event.offset, event.end
            )
    if exchange.failure is not None and all(event.data != reading.DONE for event in events):
        raise undecided(Reason.BROKEN_OFF, exchange, failure=exchange.failure.message)
    return saw("event without an error", exchange, count=sum(_not_an_object(e.data) is None for e in events))


@check("no chunk has an empty error", Of.BEGUN)
def no_empty_error(exchange: Exchange) -> Outcome:
    """Null, or an object without fields, next to the choices: some clients only check whether the key exists."""
    chunks = reading.chunks(exchange)
    for chunk in chunks:
        if "error" in chunk.value:
            return Deviation('no "error" in a chunk', reading.field(chunk.value, "error")).located(
                exchange, chunk.offset, chunk.end
            )
    return saw("chunk without an error", exchange, count=len(chunks))


def _stream(exchange: Exchange) -> EventStream:
    if not exchange.body:
        raise undecided(Reason.NO_BODY, exchange)
    if exchange.media_type == "application/json":
        raise undecided(Reason.NOT_A_STREAM, exchange)
    return reading.stream(exchange)


def _events(exchange: Exchange) -> tuple[Event, ...]:
    events = _stream(exchange).events
    if not events:
        raise undecided(Reason.NO_EVENTS, exchange)
    return events


def _chunks(exchange: Exchange) -> int:
    """The number of objects with a list of choices in the stream, without error frames."""
    try:
        return sum(isinstance(chunk.value.get("choices"), list) for chunk in reading.chunks(exchange))
    except Stop:
        return 0


def _not_an_object(data: str) -> str | None:
    try:
        value = reading.parse(data)
    except ValueError as error:
        return f"the data is not JSON: {error}"
    return None if isinstance(value, dict) else f"the data is {reading.kind(value)}"
