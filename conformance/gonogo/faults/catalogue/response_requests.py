"""Faults of response requests: calls, text formats, histories, and refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.faults.catalogue.responses import (
    AGENT,
    ANSWER,
    COUNTED,
    FORCED,
    LONGER,
    MESSAGE,
    NAMED,
    PARTS,
    PLAIN,
    PREVIOUS,
    ROLES,
    SCHEMA,
    STREAM,
    STRING,
    WRONG,
)
from gonogo.faults.editing import answer, answered, both, changed, cut, derived, made, put, refused, status
from gonogo.faults.fault import Fault, fault
from gonogo.faults.named_events import values, whole
from gonogo.faults.picks import either
from gonogo.stimuli.response_requests import AS_STRING, as_strings

if TYPE_CHECKING:
    from gonogo.evidence import Record
    from gonogo.faults.editing import Change, Edit, Json


def _as_text(old: list[Json]) -> list[Json]:
    """The call is streamed as the text of a message."""
    added = next(value for value in old if value["type"] == "response.output_item.added")
    done = next(value for value in old if value["type"] == "response.output_item.done")
    said = str(done["item"]["arguments"])
    part = {"type": "output_text", "text": said, "annotations": [], "logprobs": []}
    message = MESSAGE | {"content": [part]}
    place = {"item_id": message["id"], "output_index": 0, "content_index": 0, "sequence_number": 0}
    events = [
        added | {"item": message | {"status": "in_progress", "content": []}},
        {"type": "response.content_part.added", **place, "part": part | {"text": ""}},
        {"type": "response.output_text.delta", **place, "delta": said, "logprobs": []},
        {"type": "response.output_text.done", **place, "text": said, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": part},
        done | {"item": message},
    ]
    last_event = old[-1] | {"response": old[-1]["response"] | {"output": [message]}}
    return [*old[:2], *events, last_event]


def _renamed(old: list[Json]) -> list[Json]:
    """All events name another function."""
    for value in old:
        item, output = value.get("item"), value.get("response", {}).get("output", [])
        for holder in (*([item] if item else []), *output, value):
            if "name" in holder:
                holder["name"] = "ring_bell"
    return old


def _without_items(old: list[Json]) -> list[Json]:
    """The response has no items."""
    old[-1]["response"]["output"] = []
    return [value for value in old if "output_index" not in value]


def _ended_without_items(old: list[Json]) -> list[Json]:
    """The response has no items, and did not reach the limit."""
    old[-1]["type"] = "response.completed"
    old[-1]["response"].update(status="completed", incomplete_details=None)
    old[-1]["response"]["usage"].update(
        output_tokens=1, total_tokens=old[-1]["response"]["usage"]["input_tokens"] + 1
    )
    return _without_items(old)


def _as_without(plain: Json) -> Edit:
    """What the plain response says, in as many tokens of the input."""
    return answer(*(put(name, plain[name]) for name in ("status", "incomplete_details", "output", "usage")))


def _parts_refused(record: Record) -> Record:
    """The result in parts is refused, and is then sent as a string, and taken."""
    taken = next(exchange for exchange in record.exchanges if PARTS(exchange))
    fields = taken.request.fields
    data = json.dumps(fields | {"input": as_strings(fields["input"])}).encode()
    again = replace(
        taken,
        id=f"{taken.id}000",  # which no other exchange has
        stimulus=AS_STRING.key,
        request=replace(taken.request, body=data),
    )
    told = {key: because for key, because in record.unsent.items() if key != AS_STRING.key}
    more = () if any(map(STRING, record.exchanges)) else (again,)
    return changed(PARTS, refused(400))(replace(record, exchanges=(*record.exchanges, *more), unsent=told))


_CUT_OFF = (
    put("status", "incomplete"),
    put("incomplete_details", {"reason": "max_output_tokens"}),
    put("output.0.status", "incomplete"),
)
"""The fields of a response that was truncated by its limit."""
_THINGS = (
    (
        "a message in place of a call of a function",
        "ollama's tool_choice is not applied",
        "tools.required",
        changed(FORCED, answer(put("output", [MESSAGE]))),
    ),
    (
        "a call that is streamed as text",
        "vllm-project/vllm#29725",
        "tools.streamed",
        changed(NAMED, values(_as_text)),
    ),
    (
        "a function other than the named one in a response",
        "a tool choice that is read as required",
        "tools.named",
        changed(NAMED, values(_renamed)),
    ),
    (
        "calls with an empty call_id",
        "vllm-project/vllm PR#24788",
        "call.call_id",
        changed(FORCED, answer(put("output.0.call_id", ""))),
    ),
    (
        "calls of a response without a name",
        "a hand-made answer",
        "call.name",
        changed(FORCED, answer(cut("output.0.name"))),
    ),
    (
        "arguments of a response as an object",
        "a server that parses them",
        "call.arguments",
        changed(FORCED, answer(put("output.0.arguments", {"colour": "teal"}))),
    ),
    (
        "arguments of a response that are not JSON",
        "a model that nobody holds to the form",
        "call.arguments_json",
        changed(FORCED, answer(put("output.0.arguments", "colour=teal"))),
    ),
    (
        "calls of a response without an id",
        "ggml-org/llama.cpp#20607",
        "call.id",
        changed(FORCED, answer(cut("output.0.id"))),
    ),
    (
        "the items of an answer are refused",
        "vllm-project/vllm#45273, BerriAI/litellm#13420",
        "history.own",
        both(_parts_refused, changed(STRING, refused(400))),
    ),
    (
        "results in parts are refused",
        "ggml-org/llama.cpp#23465",
        "history.parts",
        _parts_refused,
    ),
    (
        "streams of responses are refused",
        "a surface that was half built",
        "request.stream",
        changed(STREAM, refused(400)),
    ),
    (
        "developer messages are refused in responses",
        "templates that know no such role",
        "request.roles",
        changed(ROLES, refused(400)),
    ),
    (
        "instructions that are dropped",
        "a field that is not passed on",
        "request.instructions",
        derived(LONGER, PLAIN, _as_without),
    ),
    (
        "an agent that is answered with nothing",
        "jundot/omlx PR#2817",
        "request.agent",
        changed(AGENT, values(_ended_without_items)),
    ),
    (
        "the schema of a response is ignored",
        "lmstudio-ai/lmstudio-bug-tracker#1396",
        "structured.kept",
        changed(SCHEMA, answer(put("output.0.content.0.text", "Sure! Here is the gauge."))),
    ),
    (
        "the schema of a response is ignored, and the limit cuts the text",
        "llama.cpp",
        "structured.kept",
        changed(SCHEMA, answer(*_CUT_OFF, put("output.0.content.0.text", "Sure! Here is the gau"))),
    ),
    (
        "a number as the input of a response fails the server",
        "a TypeError in Python",
        "harmless.input",
        changed(WRONG, refused(500)),
    ),
    (
        "a number as the input of a response is answered",
        "a server that reads what it likes",
        "refused.input",
        changed(WRONG, answered(ANSWER)),
    ),
    (
        "a wrong input is unprocessable",
        "FastAPI's own validation",
        "refused.status",
        changed(WRONG, status(422)),
    ),
    (
        "the refusal of an input names nothing",
        "most servers that were read",
        "refused.param",
        changed(WRONG, answer(put("error.param", None))),
    ),
    (
        "an earlier response that is forgotten",
        "Ollama has no such field",
        "previous.refused",
        changed(PREVIOUS, answered(ANSWER)),
    ),
    (
        "an earlier response is a conflict",
        "a hand-made answer",
        "previous.status",
        changed(PREVIOUS, status(409)),
    ),
    (
        "the refusal of an earlier response names nothing",
        "most servers that were read",
        "previous.param",
        changed(PREVIOUS, answer(put("error.param", None))),
    ),
    (
        "counts answered with 201",
        "NestJS answers every POST with 201 unless told otherwise",
        "tokens.status",
        changed(COUNTED, status(201)),
    ),
    (
        "counts without their name",
        "the count of another API",
        "tokens.count",
        changed(COUNTED, answer(cut("object"))),
    ),
    (
        "a count that is not that of the usage",
        "a count without the template",
        "tokens.agrees",
        changed(COUNTED, answer(made("input_tokens", lambda number: number - 2))),
    ),
)

FAULTS: tuple[Fault, ...] = (
    *(fault(name, imitates, f"responses.{rule}", change) for name, imitates, rule, change in _THINGS),
    fault(
        "a stream of a response that is one whole answer",
        "a stream parameter that nobody reads",
        ("responses.request.stream", "stream.content_type"),
        changed(STREAM, whole(lambda old: old[-1]["response"])),
    ),
    fault(
        "unknown tools fail the server",
        "a KeyError in Python",
        ("responses.request.harmless", "http.no_server_error"),
        changed(AGENT, refused(500)),
    ),
)

HARMLESS: dict[str, Change] = {
    "an earlier response that is not found": changed(PREVIOUS, status(404)),
    "a schema that is refused by its name": changed(
        SCHEMA, refused(400), answer(put("error.param", "text.format"))
    ),
    "an object of a response that the limit cuts": changed(
        SCHEMA, answer(*_CUT_OFF, put("output.0.content.0.text", ' {"gau'))
    ),
    "a text of a response that a filter cuts": changed(
        SCHEMA,
        answer(
            *_CUT_OFF,
            put("incomplete_details.reason", "content_filter"),
            put("output.0.content.0.text", "I cannot"),
        ),
    ),
    "instructions that are refused": changed(LONGER, refused(400)),
    "instructions with as many tokens as the default that they replace": derived(
        LONGER, PLAIN, lambda plain: answer(put("usage", plain["usage"]))
    ),
    "an agent whose limit is used up by reasoning": changed(AGENT, values(_without_items)),
    "tools that nobody knows are refused": changed(AGENT, refused(400)),
    "calls that are refused": changed(either(FORCED, NAMED), refused(400)),
}
