"""Faults of the items of a streamed response: their events, their parts, and the texts that the deltas make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.faults.catalogue.response_streams import (
    ADDED,
    ARGUMENTS,
    DONE,
    PART,
    PART_DONE,
    TEXT,
    TEXT_DONE,
)
from gonogo.faults.catalogue.responses import AGENT, CUT, FORCED, NAMED, STREAM
from gonogo.faults.editing import answer, both, changed, cut, made, put
from gonogo.faults.fault import Fault, fault
from gonogo.faults.named_events import dropped, lost, repeated, values, within

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.faults.editing import Edit, Json
    from gonogo.faults.named_events import Values
    from gonogo.faults.picks import Pick


def _behind(name: str, make: Callable[[Values], Json]) -> Edit:
    """Insert an event after the first one of a type."""

    def change(old: Values) -> Values:
        at = next(n for n, value in enumerate(old) if value["type"] == name)
        return [*old[: at + 1], make(old), *old[at + 1 :]]

    return values(change)


def _copy(name: str, **changes: Json) -> Callable[[Values], Json]:
    return lambda old: next(value for value in old if value["type"] == name) | changes


def _everywhere(field: str, before: int, after: int) -> Edit:
    """Change an index in all events that have it."""

    def change(old: Values) -> Values:
        for value in old:
            if value.get(field) == before:
                value[field] = after
        return old

    return values(change)


def _as_spoken(old: Values) -> Values:
    """The pieces of the arguments are text deltas within the call."""
    for value in old:
        if value["type"] == ARGUMENTS:
            value.update(type=TEXT, content_index=0, logprobs=[])
    return old


_EVENTS: tuple[tuple[str, str, str, Pick, Edit], ...] = (
    ("items that were not added", "BerriAI/litellm PR#36375", "item_added", STREAM, dropped(ADDED)),
    (
        "an item that is added without an id",
        "ggml-org/llama.cpp#20607",
        "item_id",
        STREAM,
        within(ADDED, edits=[cut("item.id")]),
    ),
    (
        "deltas of another item",
        "BerriAI/litellm#30071, BerriAI/litellm#27671",
        "item_same_id",
        STREAM,
        within(TEXT, edits=[put("item_id", "chatcmpl-1")]),
    ),
    (
        "deltas without the id of their item",
        "measured: openai-node and the AI SDK refuse them",
        "item_named",
        STREAM,
        within(TEXT, edits=[cut("item_id")]),
    ),
    (
        "deltas without the index of their item",
        "ggml-org/llama.cpp#20607",
        "item_index",
        STREAM,
        within(TEXT, edits=[cut("output_index")]),
    ),
    (
        "a call that is added without an id",
        "ggml-org/llama.cpp#20607",
        "call_item_id",
        NAMED,
        within(ADDED, edits=[cut("item.id")]),
    ),
    (
        "a call that is added with an empty name",
        "vllm-project/vllm PR#24788",
        "call_named",
        NAMED,
        within(ADDED, edits=[put("item.name", "")]),
    ),
    (
        "two items with one index",
        "BerriAI/litellm PR#36375",
        "item_own_index",
        AGENT,
        _everywhere("output_index", 1, 0),
    ),
    (
        "items that are numbered from 1",
        "measured",
        "item_numbered",
        STREAM,
        _everywhere("output_index", 0, 1),
    ),
    ("items that are never done", "measured: Codex loses the answer", "item_done", STREAM, dropped(DONE)),
    ("text after the end of an item", "a late flush", "item_over", STREAM, _behind(DONE, _copy(TEXT))),
    (
        "an item that becomes another",
        "a message that turns into a call",
        "item_same_type",
        STREAM,
        within(DONE, edits=[put("item.type", "acme:message")]),
    ),
    (
        "a part that begins with text",
        "a buffer that is sent twice",
        "item_empty",
        STREAM,
        within(PART, edits=[put("part.text", "He")]),
    ),
    ("text of a part that was not added", "BerriAI/litellm PR#24445", "part_added", STREAM, dropped(PART)),
    (
        "reasoning of a part that was not added",
        "Ollama; BerriAI/litellm PR#32777",
        "reasoning_added",
        AGENT,
        dropped("response.reasoning_summary_part.added"),
    ),
    ("a part that is added twice", "a retry within a stream", "part_once", STREAM, repeated(PART)),
    (
        "deltas without the index of their part",
        "measured: openai-python raises TypeError",
        "part_index",
        STREAM,
        within(TEXT, edits=[cut("content_index")]),
    ),
    (
        "parts that are numbered from 1",
        "measured",
        "part_numbered",
        STREAM,
        _everywhere("content_index", 0, 1),
    ),
    ("parts that are never done", "gemini-web2api PR#57", "part_done", STREAM, dropped(PART_DONE)),
    (
        "texts that are never given whole",
        "Blaizzy/mlx-vlm PR#1458",
        "text_done",
        STREAM,
        dropped(TEXT_DONE),
    ),
    (
        "a delta after the whole text",
        "a late flush",
        "text_over",
        STREAM,
        _behind(TEXT_DONE, _copy(TEXT, delta="")),
    ),
    (
        "text within a call",
        "vllm-project/vllm PR#24788, vllm-project/vllm#29725",
        "fits_item",
        NAMED,
        values(_as_spoken),
    ),
    ("a delta that is null", "a hand-made event", "delta", STREAM, repeated(TEXT, put("delta", None))),
    (
        "deltas without logprobs",
        "most servers that were read",
        "delta_logprobs",
        STREAM,
        within(TEXT, edits=[cut("logprobs")]),
    ),
    ("a delta that is lost", "a buffer that is dropped", "text_sum", STREAM, lost(TEXT, 2)),
    ("a piece of arguments that is lost", "vllm PR 34053", "arguments_sum", NAMED, lost(ARGUMENTS, 2)),
    (
        "a part that is done with another text",
        "a text that is trimmed at the end",
        "part_sum",
        STREAM,
        within(PART_DONE, edits=[made("part.text", str.upper)]),
    ),
    (
        "an item that is done with another text",
        "a text that is trimmed at the end",
        "item_sum",
        STREAM,
        within(DONE, edits=[made("item.content.0.text", str.upper)]),
    ),
    (
        "a last event without output",
        "measured: openai-python's answer is empty",
        "output_sum",
        STREAM,
        within(CUT, edits=[put("response.output", [])]),
    ),
    (
        "a call that changes its call_id",
        "vllm-project/vllm PR#47916",
        "same_call",
        NAMED,
        within(DONE, edits=[put("item.call_id", "call_other")]),
    ),
)

FAULTS: tuple[Fault, ...] = (
    *(
        fault(name, imitates, f"responses.stream.{rule}", changed(pick, edit))
        for name, imitates, rule, pick, edit in _EVENTS
    ),
    fault(
        "calls of responses without an id anywhere",
        "llama.cpp; the official document lets a call do without",
        {"responses.call.id", "responses.stream.call_item_id"},
        both(
            changed(FORCED, answer(cut("output.0.id"))),
            changed(
                NAMED,
                within(ADDED, DONE, edits=[cut("item.id")]),
                within("response.completed", edits=[cut("response.output.0.id")]),
            ),
        ),
    ),
    fault(
        "a message that comes only when it is done",
        "a translation of whole answers into events",
        "responses.stream.item_sum",
        changed(STREAM, dropped(PART, TEXT, TEXT_DONE, PART_DONE)),
    ),
    fault(
        "arguments that come only when the call is done",
        "Blaizzy/mlx-vlm PR#2062",
        "responses.stream.text_done",
        changed(NAMED, dropped(ARGUMENTS, "response.function_call_arguments.done")),
    ),
    fault(
        "an item that is done in progress",
        "a status that is copied from the added item",
        "responses.items.finished",
        changed(STREAM, within(DONE, edits=[put("item.status", "in_progress")])),
    ),
)
