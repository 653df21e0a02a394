"""Faults of responses: fields, items and counts of the object at the end, and what a request asks for in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonogo.faults.asking import first, last
from gonogo.faults.editing import (
    answer,
    answered,
    asked,
    both,
    changed,
    cut,
    made,
    put,
    raw,
    refused,
    status,
    whole,
)
from gonogo.faults.fault import Fault, fault, under
from gonogo.faults.heads import wrong_heads
from gonogo.faults.named_events import retold, values, within
from gonogo.stimuli.stimulus import Endpoint
from gonogo.stimuli.surfaces import PLAIN as PLAIN_STIMULI
from gonogo.stimuli.surfaces import STREAMS

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.faults.editing import JsonEdit

    Change = Callable[[Record], Record]

Json = Any

WHOLE = whole("/responses")
PLAIN = asked(PLAIN_STIMULI[Endpoint.RESPONSES].key)
STREAM = asked(STREAMS[Endpoint.RESPONSES].key)
COUNTED = first("responses.tokens.count")
FORCED, NAMED = first("responses.tools.required"), first("responses.tools.streamed")
ROLES, AGENT = first("responses.limit.incomplete"), first("responses.request.harmless")
OWN, PARTS = last("responses.history.own"), last("responses.history.parts")
SCHEMA = first("responses.structured.kept")
WRONG, PREVIOUS = first("responses.refused.input"), first("responses.previous.refused")
CUT = "response.incomplete"
"""The event that ends the streams of the clean run, whose limits cut them."""

_MESSAGE: Json = {"id": "msg_0", "type": "message", "status": "completed", "role": "assistant", "content": []}
_ANSWER: Json = {"id": "resp_0", "object": "response", "created_at": 1_700_000_000, "output": [_MESSAGE]}


def _told_completed(holder: str = "") -> tuple[JsonEdit, ...]:
    """A response that was cut, as if it had come to its end by itself."""
    return (
        put(f"{holder}status", "completed"),
        put(f"{holder}incomplete_details", None),
        put(f"{holder}output.0.status", "completed"),
    )


def _counted(field: str, more: int) -> JsonEdit:
    """One count of the usage, and the total with it."""

    def edit(value: Json) -> None:
        value["usage"][field] += more
        value["usage"]["total_tokens"] += more

    return edit


def _first(item: Json) -> JsonEdit:
    """An item more, before the others."""
    return made("output", lambda old: [item, *old])


def _as_text(old: list[Json]) -> list[Json]:
    """A call that is streamed as the text of a message."""
    added = next(value for value in old if value["type"] == "response.output_item.added")
    done = next(value for value in old if value["type"] == "response.output_item.done")
    said = str(done["item"]["arguments"])
    part = {"type": "output_text", "text": said, "annotations": [], "logprobs": []}
    message = _MESSAGE | {"content": [part]}
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
    """Another function is called from beginning to end."""
    for value in old:
        item, output = value.get("item"), value.get("response", {}).get("output", [])
        for holder in (*([item] if item else []), *output, value):
            if "name" in holder:
                holder["name"] = "ring_bell"
    return old


def _shouted(exchange: Exchange) -> Exchange:
    """Another text, in all that is said of it."""
    return retold(str.upper)(exchange)


# One field of a whole response, and the one rule that owns it.
_FIELDS = (
    ("responses without an id", "a hand-made answer", "id", cut("id")),
    ("responses that call themselves chats", "a gateway", "object", put("object", "chat.completion")),
    ("responses without a time", "ggml-org/llama.cpp#20607", "created_at", cut("created_at")),
    (
        "responses with parts of a second",
        "time.time() in Python",
        "created_whole",
        put("created_at", 1_700_000_000.25),
    ),
    ("responses without a model", "ggml-org/llama.cpp#20607", "model", cut("model")),
    ("responses whose output is null", "measured: openai-python raises TypeError", "output", put("output", None)),
    ("responses without a status", "a hand-made answer", "state", cut("status")),
    ("responses that are done", "a hand-made answer", "state_known", put("status", "done")),
    ("responses without error", "a hand-made answer", "error", cut("error")),
    ("responses without incomplete_details", "a hand-made answer", "details", cut("incomplete_details")),
    ("responses without instructions", "a hand-made answer", "instructions", cut("instructions")),
    ("responses without metadata", "a hand-made answer", "metadata", cut("metadata")),
    ("responses without tools", "a hand-made answer", "tools", cut("tools")),
    ("responses without a tool choice", "a hand-made answer", "tool_choice", cut("tool_choice")),
    (
        "responses that do not say whether calls are parallel",
        "a hand-made answer",
        "parallel_tool_calls",
        cut("parallel_tool_calls"),
    ),
    ("responses without a temperature", "a hand-made answer", "temperature", cut("temperature")),
    ("responses without top_p", "a hand-made answer", "top_p", cut("top_p")),
)
_THINGS = (
    (
        "responses without the fields of Open Responses",
        "ogx-ai/ogx#4994",
        "open.fields",
        changed(PLAIN, answer(cut("store"), cut("service_tier"))),
    ),
    (
        "a tool choice that is dropped",
        "Ollama's answers say auto, whatever was asked for",
        "echo.tool_choice",
        changed(FORCED, answer(put("tool_choice", "auto"))),
    ),
    (
        "metadata that are lost",
        "a hand-made answer",
        "echo.metadata",
        changed(ROLES, within(CUT, edits=[put("response.metadata", {})])),
    ),
    (
        "responses that say they are kept",
        "who asks for nothing to be kept must learn where it is kept",
        "echo.store",
        changed(ROLES, within(CUT, edits=[put("response.store", True)])),  # noqa: FBT003 - JSON
    ),
    ("items without a type", "a hand-made answer", "items.type", changed(PLAIN, answer(cut("output.0.type")))),
    (
        "items of a kind of the server's own",
        "measured: openai-node raises at a type that it does not know",
        "items.known",
        changed(PLAIN, answer(_first({"id": "th_1", "type": "thought", "status": "completed"}))),
    ),
    (
        "items without a status",
        "a hand-made answer",
        "items.status",
        changed(PLAIN, answer(cut("output.0.status"))),
    ),
    (
        "two items with one id",
        "a constant in a template",
        "items.ids",
        changed(PLAIN, answer(made("output", lambda old: [old[0] | {"status": "completed"}, *old]))),
    ),
    (
        "an incomplete item before the last",
        "a hand-made answer",
        "items.incomplete_last",
        changed(PLAIN, answer(_first(_MESSAGE | {"status": "incomplete"}))),
    ),
    (
        "messages without an id",
        "measured: openai-node and the AI SDK refuse them",
        "message.id",
        changed(PLAIN, answer(cut("output.0.id"))),
    ),
    (
        "messages whose content is a string",
        "measured: openai-python raises AttributeError",
        "message.content",
        changed(PLAIN, answer(made("output.0.content", lambda old: old[0]["text"]))),
    ),
    (
        "parts that are called text",
        "the name of chat's parts",
        "message.part",
        changed(PLAIN, answer(put("output.0.content.0.type", "text"))),
    ),
    (
        "texts without annotations",
        "theopenco/llmgateway#2287",
        "message.annotations",
        changed(PLAIN, answer(cut("output.0.content.0.annotations"))),
    ),
    (
        "texts without logprobs",
        "most servers that were read",
        "message.logprobs",
        changed(PLAIN, answer(cut("output.0.content.0.logprobs"))),
    ),
    (
        "reasoning without a summary",
        "a hand-made answer",
        "reasoning.summary",
        changed(PLAIN, answer(_first({"id": "rs_0", "type": "reasoning", "status": "completed"}))),
    ),
    ("responses without usage", "a hand-made answer", "usage.there", changed(PLAIN, answer(put("usage", None)))),
    (
        "input tokens as a string",
        "a hand-made answer",
        "usage.counts",
        changed(PLAIN, answer(made("usage.input_tokens", str))),
    ),
    (
        "usage without the details of the output",
        "ggml-org/llama.cpp#22659",
        "usage.details",
        changed(PLAIN, answer(cut("usage.output_tokens_details"))),
    ),
    (
        "more cached tokens than the input has",
        "a count over all requests",
        "usage.within",
        changed(PLAIN, answer(put("usage.input_tokens_details.cached_tokens", 9999))),
    ),
    (
        "a total of responses that is no sum",
        "a count that was not updated",
        "usage.total",
        changed(PLAIN, answer(made("usage.total_tokens", lambda total: total + 1))),
    ),
    (
        "responses that pass their limit",
        "a limit that is checked a token late",
        "limit.kept",
        changed(PARTS, answer(_counted("output_tokens", 99))),
    ),
    (
        "a cut response that is completed",
        "ollama/ollama PR#17239, jundot/omlx PR#2817",
        "limit.incomplete",
        changed(ROLES, within(CUT, edits=[put("type", "response.completed"), *_told_completed("response.")])),
    ),
    (
        "a cut response that does not say why",
        "a hand-made answer",
        "limit.reason",
        changed(ROLES, within(CUT, edits=[put("response.incomplete_details", None)])),
    ),
    (
        "another text than chat has",
        "another template on each surface",
        "same.text",
        changed(lambda exchange: PLAIN(exchange) or STREAM(exchange), _shouted),
    ),
    (
        "a response that is complete where the chat is cut",
        "a status that is a constant",
        "same.reason",
        changed(PLAIN, answer(*_told_completed())),
    ),
    (
        "an input that has more tokens than in chat",
        "another template on each surface",
        "same.input",
        both(
            changed(PLAIN, answer(_counted("input_tokens", 5))),
            changed(COUNTED, answer(made("input_tokens", lambda number: number + 5))),
        ),
    ),
    (
        "an output that has fewer tokens than in chat",
        "a count of deltas, not of tokens",
        "same.output",
        changed(PLAIN, answer(_counted("output_tokens", -3))),
    ),
    (
        "a message in place of a call of a function",
        "ollama's tool_choice is not applied",
        "tools.required",
        changed(FORCED, answer(put("output", [_MESSAGE]))),
    ),
    (
        "a call that is streamed as text",
        "vllm-project/vllm#29725",
        "tools.streamed",
        changed(NAMED, values(_as_text)),
    ),
    (
        "another function than the one that was named for a response",
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
    ("calls without a name", "a hand-made answer", "call.name", changed(FORCED, answer(cut("output.0.name")))),
    (
        "arguments of a response as an object",
        "a server that parses them",
        "call.arguments",
        changed(FORCED, answer(put("output.0.arguments", {"colour": "teal"}))),
    ),
    (
        "arguments of a response that are no JSON",
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
        changed(OWN, refused(400)),
    ),
    ("results in parts are refused", "ggml-org/llama.cpp#23465", "history.parts", changed(PARTS, refused(400))),
    (
        "developer messages are refused in responses",
        "templates that know no such role",
        "request.roles",
        changed(ROLES, refused(400)),
    ),
    (
        "unknown tools are refused",
        "ggml-org/llama.cpp#20156, openai/codex#10635",
        "request.agent",
        changed(AGENT, refused(400)),
    ),
    (
        "the schema of a response is ignored",
        "lmstudio-ai/lmstudio-bug-tracker#1396",
        "structured.kept",
        changed(SCHEMA, answer(put("output.0.content.0.text", "Sure! Here is the gauge."))),
    ),
    ("a number as input fails the server", "a TypeError in Python", "harmless.input", changed(WRONG, refused(500))),
    (
        "a number as input is answered",
        "a server that reads what it likes",
        "refused.input",
        changed(WRONG, answered(_ANSWER)),
    ),
    (
        "a wrong input is unprocessable",
        "FastAPI's own validation",
        "refused.input_status",
        changed(WRONG, status(422)),
    ),
    (
        "the refusal of an input names nothing",
        "most servers that were read",
        "refused.input_param",
        changed(WRONG, answer(put("error.param", None))),
    ),
    (
        "an earlier response that is forgotten",
        "Ollama has no such field",
        "previous.refused",
        changed(PREVIOUS, answered(_ANSWER)),
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
    *wrong_heads("responses", "responses.response", WHOLE),
    fault(
        "NaN in a response",
        "Python's json writes NaN",
        "responses.response.json",
        changed(PLAIN, raw(lambda data: data.replace(b'"error":null', b'"error":NaN'))),
    ),
    *(
        fault(name, imitates, f"responses.response.{rule}", changed(PLAIN, answer(edit)))
        for name, imitates, rule, edit in _FIELDS
    ),
    *(fault(name, imitates, f"responses.{rule}", change) for name, imitates, rule, change in _THINGS),
    fault(
        "tools that nobody knows fail the server",
        "a KeyError in Python",
        {*under("responses.request", "harmless", "agent"), "http.no_server_error"},
        changed(AGENT, refused(500)),
    ),
)


def _of_responses(exchange: Exchange) -> bool:
    return exchange.stimulus.startswith("POST /responses")


HARMLESS: dict[str, Change] = {
    "responses that are not there": changed(_of_responses, refused(404)),
    "responses that are not implemented": changed(_of_responses, refused(501)),
    "a count that is not there": changed(COUNTED, refused(404)),
    "reasoning before the text of a response": changed(
        PLAIN,
        answer(
            _first(
                {"id": "rs_0", "type": "reasoning", "summary": [], "status": "completed", "encrypted_content": "x"}
            )
        ),
    ),
    "an item of the server's own kind": changed(
        PLAIN, answer(_first({"id": "th_0", "type": "acme:thought", "status": "completed"}))
    ),
    "an earlier response that is not found": changed(PREVIOUS, status(404)),
    "fields of a response that nobody knows": changed(PLAIN, answer(put("x_vendor", {"region": "eu"}))),
    "a schema that is refused by its name": changed(
        SCHEMA, refused(400), answer(put("error.param", "text.format"))
    ),
    "calls that are refused": changed(lambda e: FORCED(e) or NAMED(e), refused(400)),
    "responses of a dated model": changed(PLAIN, answer(put("model", "ideal-2026-11-14"))),
}
