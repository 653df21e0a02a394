"""The steps of a response's stream, and the effect of each on a part of an item in every state, as tables.

A stream is a response, a response has items, and an item has parts. Each kind of slip has its own rule. Source:
openai/openai-openapi, ResponseStreamEvent; Open Responses specification, "Streaming".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Step(Enum):
    """The effect of an event on a part of an item."""

    ADDED = auto()  # it starts
    DELTA = auto()  # a delta
    TOLD = auto()  # the complete text
    CLOSED = auto()  # it ends


class State(Enum):
    """The state of a part of an item."""

    UNKNOWN = auto()  # it was never started
    OPEN = auto()
    TOLD = auto()  # its complete text was sent
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Form:
    """The subject of the events of one kind: the type of the item, that of its part, and the field that numbers parts.

    Arguments have neither part nor number: the item itself starts and ends them. `said` is the field with the complete
    text.
    """

    item: str
    part: str | None
    index: str | None
    said: str = "text"


TEXT: Final = Form("message", "output_text", "content_index")
REFUSAL: Final = Form("message", "refusal", "content_index", "refusal")
REASONING: Final = Form("reasoning", "reasoning_text", "content_index")
SUMMARY: Final = Form("reasoning", "summary_text", "summary_index")
ARGUMENTS: Final = Form("function_call", None, None, "arguments")
ITEMS: Final = frozenset({TEXT.item, REASONING.item, ARGUMENTS.item})
"""The types of the items with these events."""
OWN_PARTS: Final[Mapping[str, Form]] = {TEXT.item: TEXT, REASONING.item: REASONING}
"""The usual content part of an item, by the type of the item."""
FORMS: Final[Mapping[str, Form]] = {str(form.part): form for form in (TEXT, REFUSAL, REASONING, SUMMARY)}

STEPS: Final[Mapping[str, tuple[Step, Form | None]]] = {
    "response.content_part.added": (Step.ADDED, None),
    "response.content_part.done": (Step.CLOSED, None),
    "response.output_text.delta": (Step.DELTA, TEXT),
    "response.output_text.done": (Step.TOLD, TEXT),
    "response.refusal.delta": (Step.DELTA, REFUSAL),
    "response.refusal.done": (Step.TOLD, REFUSAL),
    "response.reasoning_text.delta": (Step.DELTA, REASONING),
    "response.reasoning_text.done": (Step.TOLD, REASONING),
    "response.reasoning.delta": (Step.DELTA, REASONING),
    "response.reasoning.done": (Step.TOLD, REASONING),
    "response.reasoning_summary_part.added": (Step.ADDED, SUMMARY),
    "response.reasoning_summary_part.done": (Step.CLOSED, SUMMARY),
    "response.reasoning_summary_text.delta": (Step.DELTA, SUMMARY),
    "response.reasoning_summary_text.done": (Step.TOLD, SUMMARY),
    "response.function_call_arguments.delta": (Step.DELTA, ARGUMENTS),
    "response.function_call_arguments.done": (Step.TOLD, ARGUMENTS),
}
"""The steps of parts; the events of a content part have its type in `part`.

Reasoning events have two names: one version of Open Responses calls them response.reasoning.delta and .done.
"""

PARTS: Final[Mapping[tuple[State, Step], tuple[State, str | None]]] = {
    (State.UNKNOWN, Step.ADDED): (State.OPEN, None),
    (State.UNKNOWN, Step.DELTA): (State.OPEN, "unannounced-part"),
    (State.UNKNOWN, Step.TOLD): (State.TOLD, "unannounced-part"),
    (State.UNKNOWN, Step.CLOSED): (State.CLOSED, "unannounced-part"),
    (State.OPEN, Step.ADDED): (State.OPEN, "repeated-part"),
    (State.OPEN, Step.DELTA): (State.OPEN, None),
    (State.OPEN, Step.TOLD): (State.TOLD, None),
    (State.OPEN, Step.CLOSED): (State.CLOSED, "text-not-done"),
    (State.TOLD, Step.ADDED): (State.TOLD, "repeated-part"),
    (State.TOLD, Step.DELTA): (State.TOLD, "late-step"),
    (State.TOLD, Step.TOLD): (State.TOLD, "late-step"),
    (State.TOLD, Step.CLOSED): (State.CLOSED, None),
    (State.CLOSED, Step.ADDED): (State.CLOSED, "repeated-part"),
    (State.CLOSED, Step.DELTA): (State.CLOSED, "late-step"),
    (State.CLOSED, Step.TOLD): (State.CLOSED, "late-step"),
    (State.CLOSED, Step.CLOSED): (State.CLOSED, "late-step"),
}
"""The state after each step, and the slip if the step is not allowed in the previous state."""

EXPECTED: Final[Mapping[str, str]] = {
    "unannounced-part": "an event that adds the part before this",
    "unannounced-reasoning": "an event that adds the part before this",
    "repeated-part": "each part added once",
    "text-not-done": "an event with the whole text before this",
    "late-step": "nothing more of a part that is done",
}

KINDS: Final[dict[str, str]] = {
    "missing-created": "stream that begins with response.created",
    "repeated-created": "response.created",
    "missing-in-progress": "response.in_progress",
    "missing-end": "event that ends the response",
    "second-end": "end of a response",
    "event-after-end": "event that ends the response and is the last",
    "other-response-id": "event with the id of the response",
    "unannounced-item": "event of an item after its output_item.added",
    "reused-index": "item with an index of its own",
    "misnumbered-item": "item with the next index",
    "unfinished-item": "item with its output_item.done",
    "late-event": "item without an event after its output_item.done",
    "unannounced-part": "event of a part after its content_part.added",
    "unannounced-reasoning": "event of a reasoning part after the part was added",
    "repeated-part": "part that is added once",
    "misnumbered-part": "part with the next index",
    "unfinished-part": "part that is done",
    "text-not-done": "text with its done event",
    "late-step": "event of a part that is not done",
    "stray-step": "event that fits its item",
    "other-item-id": "event with the id of its item",
    "nameless-item": "item with an id",
    "nameless-call": "function call with an id",
    "unidentified-call": "call_id or name of a call that is added",
    "missing-item-id": "event with an item_id",
    "missing-output-index": "event with an output_index",
    "missing-content-index": "event with the index of its part",
    "other-item-type": "item of one type from beginning to end",
    "other-call": "call with one call_id and one name",
    "begun-text": "item that is empty when it is added",
    "unlike-text": "text that equals its deltas",
    "unlike-arguments": "arguments that equal their deltas",
    "unlike-part": "part with the text of its deltas",
    "unlike-item": "item with the content of its deltas",
    "unlike-output": "item that the terminal event repeats",
    "no-sequence-number": "event with a sequence_number",
    "unordered-sequence": "sequence_number above the one before",
    "sequence-gap": "sequence_number that is the next",
}
"""A noun phrase for the correct occurrences of each kind."""
AT_END: Final = frozenset({"missing-in-progress", "missing-end", "unfinished-item"})
