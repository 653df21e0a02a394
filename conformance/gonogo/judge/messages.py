"""Reads answers of the Messages API: a whole message, or the events of a stream.

Source: Messages API, and its streams. Unreadable parts are skipped: other rules check that events are JSON and blocks
are objects.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gonogo.judge import named_events, reading
from gonogo.judge.message_order import (
    BLOCK_DELTA,
    BLOCK_START,
    BLOCK_STOP,
    ERROR,
    MESSAGE_DELTA,
    MESSAGE_START,
    MESSAGE_STOP,
    Breach,
    follow,
)
from gonogo.judge.named_events import MACHINES, UNNAMED, Course, Machine
from gonogo.judge.once import once
from gonogo.judge.outcome import undecided
from gonogo.judge.surfaces import CALLS, LENGTH, READERS, STOP, Told, or_none
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange
    from gonogo.judge.named_events import Named
    from gonogo.judge.reading import Object

PATH: Final = "/messages"
PIECES: Final[Mapping[str, tuple[str, str]]] = {
    "text_delta": ("text", "text"),
    "input_json_delta": ("tool_use", "partial_json"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("thinking", "signature"),
    "citations_delta": ("text", "citation"),
}
"""For each type of delta, the type of its block, and the field with its content."""
STOP_REASONS: Final = (
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "model_context_window_exceeded",
)
CUT: Final = frozenset({"max_tokens", "model_context_window_exceeded"})
"""The stop reasons of an incomplete answer."""
PROMPT_COUNTS: Final = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
"""The counts whose sum is the number of prompt tokens."""


# ---- events ------------------------------------------------------------------------------------------------------


def kind(event: Named) -> str:
    """The type of an event: from its data, or else from its name."""
    return event.type or ("" if event.name == UNNAMED else event.name)


def index(event: Named) -> int | None:
    """The block number of an event; None if it has none."""
    return reading.count(event.value.get("index"))


def part(event: Named, name: str) -> Object:
    """The object under this name; empty if there is none."""
    found = event.value.get(name)
    return found if isinstance(found, dict) else {}


def of_kind(exchange: Exchange, *kinds: str) -> list[Named]:
    """The events of these kinds up to message_stop, in order. Raises Stop if the answer is no event stream.

    Another rule checks that nothing follows message_stop.
    """
    if exchange.media_type == "application/json":
        raise undecided(Reason.NOT_A_STREAM, exchange)
    events = named_events.events(exchange)
    over = next((place for place, event in enumerate(events) if kind(event) == MESSAGE_STOP), len(events))
    return [event for event in events[: over + 1] if kind(event) in kinds]


def is_error(event: Named) -> bool:
    """Whether an event reports a failure of the stream, in the form of this API or another."""
    return kind(event) == ERROR or bool(event.value.get("error"))


_EXPECTED: Final[Mapping[Breach, tuple[str, tuple[str, ...]]]] = {
    Breach.BEGINS_OTHERWISE: ("message_start before any other event but ping", (MESSAGE_START,)),
    Breach.BEGINS_AGAIN: ("one message_start", (MESSAGE_START,)),
    Breach.NOT_OPEN: (
        "content_block_start before the deltas of a block, and its content_block_stop last",
        (BLOCK_DELTA, BLOCK_STOP),
    ),
    Breach.NOT_NUMBERED: ("blocks numbered 0, 1, 2 in their order", (BLOCK_START,)),
    Breach.LEFT_OPEN: ("content_block_stop before anything that is not of the block", (BLOCK_STOP,)),
    Breach.BLOCK_AFTER_END: ("all content before message_delta", (MESSAGE_DELTA,)),
    Breach.NOT_ENDED: ("message_delta before message_stop", (MESSAGE_DELTA,)),
    Breach.AFTER_STOP: ("nothing after the event that ends the stream", (MESSAGE_STOP, ERROR)),
    Breach.UNFINISHED: ("message_stop as the last event", (MESSAGE_STOP,)),
}
"""For each breach the expected order, and the events that show that it is kept."""


@once
def course(exchange: Exchange) -> Course:
    """The result of the state machine: the first event with each breach."""
    events = named_events.events(exchange)
    found, seen = Course(), Counter(map(kind, events))
    breaches = follow((kind(event), index(event)) for event in events).breaches
    for breach, (expected, kinds) in _EXPECTED.items():
        if breach in breaches:
            event = events[breaches[breach]]
            found.slip(breach, expected, _shown(breach, event), event)
        else:
            found.kept[breach] = sum(seen[name] for name in kinds)
    return found


def _shown(breach: Breach, event: Named) -> str:
    of_block = "" if index(event) is None else f" of block {index(event)}"
    named = f"{kind(event) or 'an event without a type'}{of_block}"
    return f"the last event is {named}" if breach is Breach.UNFINISHED else f"there is {named}"


MACHINES[PATH] = Machine(
    course,
    {breach: (kinds[0] if kinds else "event") for breach, (_, kinds) in _EXPECTED.items()},
    frozenset({Breach.UNFINISHED}),
)


def unfailed(exchange: Exchange) -> None:
    """Raise Stop if a stream was cut off or ended in an error, so that it might have continued."""
    if exchange.is_stream:
        reading.unfailed(exchange)


def ended(exchange: Exchange) -> None:
    """Raise Stop if a missing part of an answer might have followed: its stream was cut off, failed or did not end, or
    an event is unreadable.
    """
    if not exchange.is_stream:
        return
    reading.ended(exchange)
    if not of_kind(exchange, MESSAGE_STOP):
        raise undecided(Reason.NO_END, exchange)


# ---- the message -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Block:
    """A block of an answer.

    `value` is its start event's block, or the block of a whole answer; `pieces` are the deltas, by their field. `at` is
    the event that started it.
    """

    value: Object
    at: Named | None = None
    pieces: dict[str, list[str]] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """The type of the block; "" if it has none."""
        found = self.value.get("type")
        return found if isinstance(found, str) else ""

    def text(self, name: str) -> str:
        """The complete text under this name; "" if it is not a string."""
        begun = self.value.get(name)
        return (begun if isinstance(begun, str) else "") + "".join(self.pieces.get(name, ()))


@once
def blocks(exchange: Exchange) -> tuple[Block, ...]:
    """The content of an answer, whole or joined from its stream, in order."""
    if not exchange.is_stream:
        return tuple(Block(value) for value in reading.objects(reading.answer(exchange).get("content")))
    found: list[Block] = []
    by_number: dict[int | None, Block] = {}
    for event in of_kind(exchange, BLOCK_START, BLOCK_DELTA):
        if kind(event) == BLOCK_START:
            found.append(Block(part(event, "content_block"), event))
            by_number[index(event)] = found[-1]
        elif index(event) in by_number:
            _add(by_number[index(event)], part(event, "delta"))
    return tuple(found)


def _add(block: Block, delta: Object) -> None:
    belongs, name = PIECES.get(str(delta.get("type")), ("", ""))
    piece = delta.get(name)
    if belongs == block.type and isinstance(piece, str):
        block.pieces.setdefault(name, []).append(piece)


def thinks(exchange: Exchange) -> bool:
    """Whether the answer has a block of thinking."""
    return any(block.type in ("thinking", "redacted_thinking") for block in blocks(exchange))


def text(exchange: Exchange) -> str:
    """The text of an answer, all its text blocks joined. Raises Stop if there is none."""
    said = "".join(block.text("text") for block in blocks(exchange) if block.type == "text")
    if said:
        return said
    ended(exchange)
    raise undecided(Reason.ALL_REASONING if thinks(exchange) else Reason.NO_TEXT, exchange)


def uses(exchange: Exchange) -> list[Block]:
    """The tool uses of an answer. Raises Stop if there are none."""
    found = [block for block in blocks(exchange) if block.type == "tool_use"]
    if not found:
        raise undecided(Reason.NO_CALL, exchange)
    return found


def stop_reason(exchange: Exchange) -> str:
    """The stop reason of an answer. Raises Stop if it has none, or an unknown one."""
    found = (ending(exchange) or {}).get("stop_reason")
    if found in STOP_REASONS:
        return str(found)
    ended(exchange)
    raise undecided(Reason.FIELD_NOT, exchange, field="stop_reason", kind="a reason that the contract knows")


def stop_sequence(exchange: Exchange) -> object:
    """The stop sequence that an answer names; None if it names none."""
    return (ending(exchange) or {}).get("stop_sequence")


def ending(exchange: Exchange) -> Object | None:
    """The object with the stop reason: a whole answer, or the last `delta` of a message_delta with one.

    None if a stream has no message_delta.
    """
    if not exchange.is_stream:
        return reading.answer(exchange)
    deltas = [part(event, "delta") for event in of_kind(exchange, MESSAGE_DELTA)]
    given = [delta for delta in deltas if delta.get("stop_reason")]
    return next(reversed(given or deltas), None)


def usage(exchange: Exchange) -> Object:
    """The counts of an answer; for a stream the last value of each. Raises Stop if there are none.

    The output count at the beginning of a stream is ignored.
    """
    found: Object = {}
    if not exchange.is_stream:
        found = reading.usage(reading.answer(exchange)) or {}
    else:
        for event in of_kind(exchange, MESSAGE_START, MESSAGE_DELTA):
            begins = kind(event) == MESSAGE_START
            counts = reading.usage(part(event, "message") if begins else event.value) or {}
            told = {name: value for name, value in counts.items() if value is not None}
            found = found | (
                {name: told[name] for name in told if name != "output_tokens"} if begins else told
            )
    if not found:
        raise undecided(Reason.NO_USAGE, exchange)
    return found


def output_tokens(exchange: Exchange) -> int:
    """The number of generated tokens. Raises Stop if it is missing."""
    return _count(exchange, "output_tokens")


def prompt_tokens(exchange: Exchange) -> int:
    """All tokens of the prompt, including cached ones. Raises Stop if they are missing."""
    first, *cached = PROMPT_COUNTS
    counts = usage(exchange)
    return _count(exchange, first) + sum(reading.count(counts.get(name)) or 0 for name in cached)


def _count(exchange: Exchange, name: str) -> int:
    found = reading.count(usage(exchange).get(name))
    if found is None:
        raise undecided(Reason.FIELD_NOT, exchange, field=name, kind="a whole number")
    return found


# ---- common form ------------------------------------------------------------------------------------------------

REASONS: Final[Mapping[str, str]] = {
    "end_turn": STOP,
    "stop_sequence": STOP,
    "max_tokens": LENGTH,
    "model_context_window_exceeded": LENGTH,
    "tool_use": CALLS,
}
"""The chat finish reasons for stop reasons."""


def _told(exchange: Exchange) -> Told:
    """The content of a message; missing values are None."""
    reason = REASONS.get(or_none(stop_reason, exchange) or "")
    return Told(text(exchange), reason, or_none(prompt_tokens, exchange), or_none(output_tokens, exchange))


READERS[PATH] = _told
