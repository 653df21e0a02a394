"""Faults of the streams of responses: how they begin and end, and how their events are named and numbered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gonogo.exchange import FailureKind
from gonogo.faults.catalogue.responses import AGENT, CUT, NAMED, ROLES, STREAM
from gonogo.faults.editing import (
    END,
    appended,
    body,
    carried,
    changed,
    cut,
    each,
    failing,
    frames,
    inserted,
    lines,
    made,
    put,
)
from gonogo.faults.fault import Fault, fault
from gonogo.faults.named_events import dropped, repeated, values, within
from gonogo.faults.picks import either, streamed

if TYPE_CHECKING:
    from gonogo.faults.editing import Change, Edit, Json, JsonEdit
    from gonogo.faults.named_events import Values
    from gonogo.faults.picks import Pick

EVERY = either(streamed("/responses"), AGENT, NAMED)
TEXT, TEXT_DONE = "response.output_text.delta", "response.output_text.done"
ARGUMENTS = "response.function_call_arguments.delta"
ADDED, DONE = "response.output_item.added", "response.output_item.done"
PART, PART_DONE = "response.content_part.added", "response.content_part.done"
CREATED, PROGRESS = "response.created", "response.in_progress"


def _ended_early(old: Values) -> Values:
    """An error, followed by the regular end."""
    error = {"type": "error", "sequence_number": 0, "code": "server_error", "message": "No.", "param": None}
    return [*old[:-1], error, old[-1]]


_EVENTS: tuple[tuple[str, str, str, Pick, Edit], ...] = (
    ("a stream of a response without a body", "sgl-project/sglang#9963", "events", STREAM, body(b"")),
    (
        "events without a type",
        "langflow-ai/langflow#10295",
        "type",
        STREAM,
        inserted(3, b'event: response.chunk\ndata: {"content":"Hi"}\n\n'),
    ),
    (
        "events without a name",
        "servers that write data lines only",
        "named",
        STREAM,
        lines(lambda frame: b"data: " + frame.partition(b"data: ")[2]),
    ),
    ("streams without response.created", "measured: both SDKs raise", "created", STREAM, dropped(CREATED)),
    ("response.created twice", "a retry within a stream", "created_once", STREAM, repeated(CREATED)),
    (
        "a response that was created without a model",
        "ggml-org/llama.cpp#20607, ggml-org/llama.cpp PR#21174",
        "created_fits",
        STREAM,
        within(CREATED, edits=[cut("response.model")]),
    ),
    (
        "a response that was created without output",
        "measured: openai-node 6 raises",
        "created_empty",
        STREAM,
        within(CREATED, edits=[put("response.output", None)]),
    ),
    (
        "streams without response.in_progress",
        "gemini-web2api PR#57",
        "in_progress",
        STREAM,
        dropped(PROGRESS),
    ),
    (
        "another response in the middle of a stream",
        "BerriAI/litellm#27671",
        "same_id",
        STREAM,
        within(PROGRESS, edits=[put("response.id", "resp_other")]),
    ),
    (
        "streams that end without saying so",
        "openai/codex#41340, router-for-me/CLIProxyAPI#1407",
        "ended",
        STREAM,
        dropped(CUT),
    ),
    ("a response that ends twice", "a gateway that adds its own end", "ended_once", STREAM, repeated(CUT)),
    (
        "an event after the end of a response",
        "a keep-alive that is written too late",
        "ended_last",
        STREAM,
        values(lambda old: [*old, dict(old[1])]),
    ),
    (
        "response.completed around a response that is incomplete",
        "vllm-project/agentic-api#273",
        "ended_fits",
        STREAM,
        within(CUT, edits=[put("type", "response.completed")]),
    ),
    (
        "an error before the end of a response",
        "a server that fails late",
        "no_failure",
        STREAM,
        values(_ended_early),
    ),
    ("events without numbers", "Blaizzy/mlx-vlm PR#494", "sequence", STREAM, each(cut("sequence_number"))),
    (
        "events that all have the number 0",
        "BerriAI/litellm PR#28899",
        "sequence_rises",
        STREAM,
        each(put("sequence_number", 0)),
    ),
    (
        "events that are numbered from 1",
        "a counter that is raised too early",
        "sequence_next",
        STREAM,
        each(made("sequence_number", lambda number: number + 1)),
    ),
)

FAULTS: tuple[Fault, ...] = (
    *(
        fault(name, imitates, f"responses.stream.{rule}", changed(pick, edit))
        for name, imitates, rule, pick, edit in _EVENTS
    ),
    fault(
        "a connection that stays open after the end of a response",
        "a proxy that waits for [DONE]",
        {"responses.stream.released", "http.in_time"},
        changed(STREAM, failing(FailureKind.TIMEOUT)),
    ),
)


def _queued(old: Values) -> Values:
    """The response is queued before it starts."""
    queued: Json = {**old[1], "type": "response.queued"}
    return [old[0], queued, *old[1:]]


def _kept_alive(old: Values) -> Values:
    """There are keep-alive events between the others."""
    return [part for value in old for part in (value, {"type": "keepalive"})][:-1]


def _at_once(old: Values) -> Values:
    """The arguments of a call arrive only at its end."""
    return [value for value in old if value["type"] != ARGUMENTS]


def _lumped(old: Values) -> Values:
    """The whole text is in one delta."""
    deltas = [value for value in old if value["type"] == TEXT]
    text = "".join(value["delta"] for value in deltas)
    one = deltas[0] | {"delta": text}
    return [
        one if value is deltas[0] else value for value in old if value is deltas[0] or value not in deltas
    ]


def _reasoned(old: Values) -> Values:
    """The reasoning summary is sent as reasoning text, with the events of one version of Open Responses."""
    for value in old:
        for item in (value.get("item"), *value.get("response", {}).get("output", [])):
            if item and item["type"] == "reasoning":
                item["content"] = [part | {"type": "reasoning_text"} for part in item["summary"]]
                item["summary"] = []
        if "summary_index" in value:
            value["content_index"] = value.pop("summary_index")
            value["type"] = value["type"].replace("reasoning_summary_part", "content_part")
            value["type"] = value["type"].replace("reasoning_summary_text", "reasoning")
        if value.get("part", {}).get("type") == "summary_text":
            value["part"]["type"] = "reasoning_text"
    return old


def _noted(old: Values) -> Values:
    """An item before the end has a text, but no events for it."""
    note: Json = {"id": "nt_0", "type": "acme:note", "status": "completed", "content": [{"text": "Hm."}]}
    index = sum(value["type"] == ADDED for value in old)
    place: Json = {"sequence_number": 0, "output_index": index}
    begun = {"type": ADDED, **place, "item": note | {"status": "in_progress", "content": []}}
    old[-1]["response"]["output"].insert(index, note)
    return [*old[:-1], begun, {"type": DONE, **place, "item": note}, old[-1]]


def _spaced(frame: bytes) -> bytes:
    head, _, _ = frame.partition(b"data: ")
    return head + b"data: " + json.dumps(carried(frame)).encode() + END


def _more(*edits: JsonEdit) -> Change:
    return changed(EVERY, each(*edits))


HARMLESS: dict[str, Change] = {
    "[DONE] behind the end of a response": changed(EVERY, appended(b"data: [DONE]\n\n")),
    "comments between the events of a response": changed(
        EVERY, frames(lambda old: [part for frame in old for part in (b": ping\n\n", frame)])
    ),
    "events that keep the connection of a response open": changed(EVERY, values(_kept_alive)),
    "a response that waits for its turn": changed(EVERY, values(_queued)),
    "arguments in one piece": changed(NAMED, values(_at_once)),
    "the text of a response in one delta": changed(STREAM, values(_lumped)),
    "fields of events that nobody knows": _more(put("obfuscation", "abc")),
    "arguments whose end names no function": changed(
        NAMED, within("response.function_call_arguments.done", edits=[cut("name")])
    ),
    "events of the server's own kind": changed(
        EVERY, values(lambda old: [*old[:2], {"type": "acme:progress", "share": 0.5}, *old[2:]])
    ),
    "an item of the server's own kind with a text": changed(NAMED, values(_noted)),
    "reasoning under the other name of its events": changed(AGENT, values(_reasoned)),
    "spaces in the JSON of the events": changed(ROLES, frames(lambda old: [*map(_spaced, old)])),
}
