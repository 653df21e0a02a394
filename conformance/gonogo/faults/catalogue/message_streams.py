"""Faults of streamed messages: events that are missing, late or of another form, and others that keep the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo.exchange import FailureKind
from gonogo.faults.editing import (
    appended,
    changed,
    cut,
    each,
    event,
    failing,
    frames,
    lines,
    made,
    put,
    renamed,
)
from gonogo.faults.fault import Fault, fault
from gonogo.faults.message_edits import ANY, STREAM, STREAMS, STRUCTURED, preceded
from gonogo.faults.named_events import dropped, lost, named, repeated, trailing, values, within
from gonogo.faults.picks import either
from gonogo.judge.message_order import ORDERED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.faults.editing import Change, Edit, Json, JsonEdit
    from gonogo.faults.picks import Pick

ALL: Final = either(STREAMS, ANY, STRUCTURED)
START, BLOCK, DELTA, STOP, END, LAST = ORDERED
_BLOCKS: Final = (BLOCK, DELTA, STOP)

# One field of the events of one type, and the rule about it.
_FIELDS: Final[tuple[tuple[str, str, str, str, JsonEdit], ...]] = (
    ("message_start with a message of the user", "a translation that keeps the last role", "message", START,
     put("message.role", "user")),
    ("message_start without the id of the message", "a hand-made event", "message", START, cut("message.id")),
    ("null as the content in message_start", "measured: both official SDKs raise", "empty_content", START,
     put("message.content", None)),
    ("message_start without content", "measured: both official SDKs raise", "empty_content", START,
     cut("message.content")),
    ("message_start without usage", "measured: both official SDKs raise", "start_usage", START, cut("message.usage")),
    ("message_start without a stop reason", "Ollama, source", "no_reason_yet", START, cut("message.stop_reason")),
    ("a block of text that begins without text", "measured: anthropic-python raises TypeError", "block_start", BLOCK,
     cut("content_block.text")),
    ("a block that begins as output_text", "the name of the parts of responses", "block_start", BLOCK,
     put("content_block.type", "output_text")),
    ("-1 as the number of blocks in deltas", "BerriAI/litellm", "index", DELTA, put("index", -1)),
    ("deltas without the number of their block", "a hand-made event", "index", DELTA, cut("index")),
    ("deltas with their text under another name", "chat's name", "delta", DELTA, renamed("delta.text", "content")),
    ("deltas without a type", "a hand-made event", "delta", DELTA, cut("delta.type")),
    ("deltas of thinking in a block of text", "BerriAI/litellm#32357", "block_kind", DELTA,
     put("delta", {"type": "thinking_delta", "thinking": "x"})),
    ("stop as the reason in message_delta", "chat's word", "reason", END, put("delta.stop_reason", "stop")),
    ("message_delta without a stop reason", "measured: it stays null", "reason", END, cut("delta.stop_reason")),
    ("message_delta without a delta", "a hand-made event", "reason", END, put("delta", {"stop_sequence": None})),
    ("message_delta without a stop sequence", "Ollama, source", "stop_sequence", END, cut("delta.stop_sequence")),
    ("message_delta without usage", "measured: both official SDKs raise", "end_usage", END, cut("usage")),
)  # fmt: skip

# Missing events of one type, the affected streams, and the rule about them.
_DROPPED: Final[tuple[tuple[str, str, str, Pick, str], ...]] = (
    ("streams of messages without message_start", "measured: both official SDKs raise", "starts", ALL, START),
    ("deltas without content_block_start", "measured: IndexError in anthropic-python", "block_open", STREAMS, BLOCK),
    ("streams of messages without content_block_stop", "a translation of chat, which has no such thing",
     "block_stopped", STREAMS, STOP),
    ("streams of messages without message_delta", "measured: the stop reason stays null", "message_delta", ALL, END),
    ("streams of messages without message_stop", "measured: @anthropic-ai/sdk ends without a message",
     "stops", ALL, LAST),
)  # fmt: skip

_ERROR: Final[Json] = {"type": "error", "error": {"type": "api_error", "message": "It failed."}}


def _moved_up(old: list[Json]) -> list[Json]:
    """message_delta precedes the first block."""
    late = [value for value in old if value["type"] == END]
    rest = [value for value in old if value["type"] != END]
    return [rest[0], *late, *rest[1:]]


def _failing(*ends: bytes) -> Edit:
    """The first events, followed by these in place of the others."""
    return frames(lambda old: [*old[:6], *ends])


def _unnamed(frame: bytes) -> bytes:
    return frame[frame.index(b"data: ") :]


def _renamed(old: list[bytes]) -> list[bytes]:
    return [frame.replace(b"event: content_block_delta", b"event: delta") for frame in old]


def _delta_after_stop(old: list[Json]) -> list[Json]:
    """The block's stop precedes its last delta."""
    at = next(number for number, value in enumerate(old) if value["type"] == STOP)
    return [*old[: at - 1], old[at], old[at - 1], *old[at + 1 :]]


_IN_STREAM: Final = "messages.stream"
FAULTS: tuple[Fault, ...] = (
    *(
        fault(name, by, f"{_IN_STREAM}.{rule}", changed(STREAMS, within(kind, edits=[edit])))
        for name, by, rule, kind, edit in _FIELDS
    ),
    *(
        fault(name, by, f"{_IN_STREAM}.{rule}", changed(pick, dropped(kind)))
        for name, by, rule, pick, kind in _DROPPED
    ),
    fault(
        "events of messages without a type in their data",
        "a name on the line alone",
        f"{_IN_STREAM}.type",
        changed(ALL, each(cut("type"))),
    ),
    fault(
        "events of messages without a name",
        "chat's form; measured: both official SDKs see no event",
        f"{_IN_STREAM}.name",
        changed(ALL, lines(_unnamed)),
    ),
    fault(
        "events of messages under another name than their type",
        "a table of names of one's own",
        f"{_IN_STREAM}.name",
        changed(ALL, frames(_renamed)),
    ),
    fault(
        "two message_start in a stream",
        "BerriAI/litellm#32357",
        f"{_IN_STREAM}.starts_once",
        changed(STREAM, repeated(START)),
    ),
    fault(
        "blocks numbered from 1",
        "measured: IndexError in anthropic-python",
        f"{_IN_STREAM}.block_numbers",
        changed(ALL, within(*_BLOCKS, edits=[made("index", lambda old: old + 1)])),
    ),
    fault(
        "a delta after content_block_stop",
        "a buffer that is emptied late",
        f"{_IN_STREAM}.block_open",
        changed(STREAM, values(_delta_after_stop)),
    ),
    fault(
        "message_delta before the content",
        "a usage that is told as soon as it is known",
        f"{_IN_STREAM}.block_late",
        changed(STREAM, values(_moved_up)),
    ),
    fault(
        "a ping after message_stop",
        "a timer that nobody stops",
        f"{_IN_STREAM}.last",
        changed(STREAM, trailing({"type": "ping"})),
    ),
    fault(
        "a stream of a message that is held open",
        "a connection that waits for more",
        (f"{_IN_STREAM}.ends", "http.in_time"),
        changed(STREAM, failing(FailureKind.TIMEOUT, "no complete answer within 60 s")),
    ),
    fault(
        "[DONE] after message_stop",
        "chat's end",
        f"{_IN_STREAM}.no_done",
        changed(STREAMS, appended(b"data: [DONE]\n\n")),
    ),
    fault(
        "an error in a stream of a message without a name",
        "measured: anthropic-python takes the part for the whole",
        (f"{_IN_STREAM}.error_event", f"{_IN_STREAM}.no_error", f"{_IN_STREAM}.name"),
        changed(STREAM, _failing(event(_ERROR))),
    ),
    fault(
        "chat's error object in a stream of a message",
        "measured: the AI SDK says that validation failed",
        (f"{_IN_STREAM}.error_event", f"{_IN_STREAM}.no_error", f"{_IN_STREAM}.type"),
        changed(STREAM, _failing(named({"error": {"message": "no", "type": "server_error"}}, "error"))),
    ),
    fault(
        "an error in the middle of a stream of a message",
        "lmstudio-ai/lmstudio-bug-tracker#2220",
        f"{_IN_STREAM}.no_error",
        changed(STREAM, _failing(named(_ERROR))),
    ),
    fault(
        "a stream of a message that ends in silence",
        "lmstudio-ai/lmstudio-bug-tracker#2220",
        f"{_IN_STREAM}.stops",
        changed(STREAM, _failing()),
    ),
    fault(
        "a piece of a streamed message is lost",
        "vllm-project/vllm PR#34053",
        f"{_IN_STREAM}.adds_up",
        changed(STREAM, lost(DELTA, 0)),
    ),
    fault(
        "another reason in the stream of a message",
        "a second parser for streams",
        f"{_IN_STREAM}.same_end",
        changed(STREAM, within(END, edits=[put("delta.stop_reason", "end_turn")])),
    ),
)


def _pinging(old: list[Json]) -> list[Json]:
    """There are pings before the first event and in the middle."""
    ping = {"type": "ping"}
    return [ping, *old[:3], ping, *old[3:]]


def _unknown(old: list[Json]) -> list[Json]:
    """There are an event, a block and a delta of unknown types."""
    block = next(value for value in old if value["type"] == BLOCK)
    at = old.index(block) + 1
    new = {"type": DELTA, "index": block["index"], "delta": {"type": "gonogo_delta", "x": 1}}
    return [*old[:at], {"type": "gonogo_event", "x": 1}, new, *old[at:]]


def _ended_twice(old: list[Json]) -> list[Json]:
    """There are two message_delta events, the first with usage only."""
    at = next(number for number, value in enumerate(old) if value["type"] == END)
    first = {
        "type": END,
        "delta": {"stop_reason": None, "stop_sequence": None},
        "usage": {"output_tokens": 1},
    }
    return [*old[:at], first, *old[at:]]


_THOUGHT: Final[tuple[Json, ...]] = (
    {"type": BLOCK, "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": DELTA, "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
    {"type": DELTA, "index": 0, "delta": {"type": "signature_delta", "signature": "s"}},
    {"type": STOP, "index": 0},
)


def _counted_late(old: list[Json]) -> list[Json]:
    """The prompt tokens are reported only at the end."""
    start = next(value for value in old if value["type"] == START)
    end = next(value for value in old if value["type"] == END)
    end["usage"]["input_tokens"] = start["message"]["usage"]["input_tokens"]
    start["message"]["usage"]["input_tokens"] = 0
    return old


def _in_one_piece(old: list[Json]) -> list[Json]:
    """The block's start has the whole text, and there is no delta."""
    said = "".join(value["delta"]["text"] for value in old if value["type"] == DELTA)
    for value in old:
        if value["type"] == BLOCK:
            value["content_block"]["text"] = said
    return [value for value in old if value["type"] != DELTA]


HARMLESS: Mapping[str, Change] = {
    "pings in a stream of a message": changed(ALL, values(_pinging)),
    "no ping in a stream of a message": changed(ALL, dropped("ping")),
    "events and deltas of new types": changed(ALL, values(_unknown)),
    "two message_delta": changed(STREAMS, values(_ended_twice)),
    "a thought before the text of a stream": changed(STREAMS, preceded(*_THOUGHT)),
    "the prompt of a stream is counted at its end": changed(STREAMS, values(_counted_late)),
    "the text of a stream where its block begins": changed(STREAMS, values(_in_one_piece)),
}
