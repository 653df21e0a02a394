"""Faults of responses: fields and items of the final object, and request parameters that are ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.faults.editing import answer, changed, cut, made, put, raw, refused
from gonogo.faults.fault import Fault, fault
from gonogo.faults.heads import wrong_heads
from gonogo.faults.named_events import retold, values, within
from gonogo.faults.picks import asked, whole
from gonogo.faults.rule_picks import first, last
from gonogo.stimuli.response_requests import AS_STRING, IN_PARTS
from gonogo.stimuli.stimulus import Endpoint
from gonogo.stimuli.surfaces import PLAIN as PLAIN_STIMULI
from gonogo.stimuli.surfaces import STREAMS

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.faults.editing import Change, Json, JsonEdit

WHOLE = whole("/responses")
PLAIN = asked(PLAIN_STIMULI[Endpoint.RESPONSES].key)
STREAM = asked(STREAMS[Endpoint.RESPONSES].key)
COUNTED = first("responses.tokens.count")
FORCED, NAMED = first("responses.tools.required"), first("responses.tools.streamed")
ROLES, AGENT = first("responses.limit.incomplete"), first("responses.request.harmless")
PARTS, STRING = asked(IN_PARTS.key), asked(AS_STRING.key)
SCHEMA = first("responses.structured.kept")
LONGER = last("responses.request.instructions")
WRONG, PREVIOUS = first("responses.refused.input"), first("responses.previous.refused")
CUT = "response.incomplete"
"""The terminal event of the streams in the clean run, which are truncated by their limits."""

MESSAGE: Json = {"id": "msg_0", "type": "message", "status": "completed", "role": "assistant", "content": []}
ANSWER: Json = {"id": "resp_0", "object": "response", "created_at": 1_700_000_000, "output": [MESSAGE]}


def _first(item: Json) -> JsonEdit:
    """Insert an item before the others."""
    return made("output", lambda old: [item, *old])


def _ended(old: list[Json]) -> list[Json]:
    """The truncated response is a completed one that ended with the last token: its text is a whole sentence."""
    response = old[-1]["response"]
    old[-1]["type"] = "response.completed"
    response.update(status="completed", incomplete_details=None)
    response["output"][-1]["status"] = "completed"
    return old


def _shortened(exchange: Exchange) -> Exchange:
    """Only the first three pieces of the text, in all events and items."""
    if not exchange.is_stream:
        return answer(made("output.0.content.0.text", lambda said: said[:3]))(exchange)
    return values(_of_three_pieces)(exchange)


def _of_three_pieces(old: list[Json]) -> list[Json]:
    deltas = [value for value in old if value["type"] == "response.output_text.delta"]
    said = "".join(value["delta"] for value in deltas[:3])
    kept = [value for value in old if value not in deltas[3:]]
    for value in kept[4:]:  # after the events that begin the response, its item and its part
        items = [value["item"]] if "item" in value else value.get("response", {}).get("output", [])
        parts = [part for item in items for part in item["content"]]
        for holder in (*parts, value.get("part"), value):
            if holder and "text" in holder and isinstance(holder["text"], str):
                holder["text"] = said
    return kept


# One field of a complete response, and the one rule about it.
_FIELDS = (
    ("responses without an id", "a hand-made answer", "id", cut("id")),
    ("responses that call themselves chats", "a gateway", "object", put("object", "chat.completion")),
    ("responses without a time", "ggml-org/llama.cpp#20607", "created_at", cut("created_at")),
    (
        "responses with a time in milliseconds",
        "Date.now() in JavaScript",
        "seconds",
        put("created_at", 1_700_000_000_000),
    ),
    (
        "responses with parts of a second",
        "time.time() in Python",
        "created_whole",
        put("created_at", 1_700_000_000.25),
    ),
    ("responses without a model", "ggml-org/llama.cpp#20607", "model", cut("model")),
    (
        "responses whose output is null",
        "measured: openai-python raises TypeError",
        "output",
        put("output", None),
    ),
    ("responses without a status", "a hand-made answer", "state", cut("status")),
    ("responses that are done", "a hand-made answer", "state_known", put("status", "done")),
    ("responses without error", "a hand-made answer", "error", cut("error")),
    (
        "an error in a response that did not fail",
        "an object that is always filled in",
        "error",
        put("error", {"code": "server_error", "message": "No."}),
    ),
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
        "details of an incomplete response in a completed one",
        "an object that is always filled in",
        "response.details",
        changed(FORCED, answer(put("incomplete_details", {"reason": "max_output_tokens"}))),
    ),
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
    (
        "items without a type",
        "a hand-made answer",
        "items.type",
        changed(PLAIN, answer(cut("output.0.type"))),
    ),
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
        changed(
            PLAIN, answer(made("output", lambda old: [old[0] | {"status": "completed", "content": []}, *old]))
        ),
    ),
    (
        "an incomplete item before the last",
        "a hand-made answer",
        "items.incomplete_last",
        changed(PLAIN, answer(_first(MESSAGE | {"status": "incomplete"}))),
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
        "parts that are called content",
        "a hand-made answer",
        "message.part",
        changed(PLAIN, answer(put("output.0.content.0.type", "content"))),
    ),
    (
        "parts that are called text",
        "the name of chat's parts, which Open Responses admits",
        "message.part_text",
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
                {
                    "id": "rs_0",
                    "type": "reasoning",
                    "summary": [],
                    "status": "completed",
                    "encrypted_content": "x",
                }
            )
        ),
    ),
    "an item of the server's own kind": changed(
        PLAIN, answer(_first({"id": "th_0", "type": "acme:thought", "status": "completed"}))
    ),
    "reasoning without a status": changed(
        PLAIN, answer(_first({"id": "rs_0", "type": "reasoning", "summary": []}))
    ),
    "a response that ends by itself with its last token": changed(
        ROLES, retold(lambda said: said.replace("n", ".")), values(_ended)
    ),
    "a response whose reasoning took tokens of its text": changed(
        lambda exchange: PLAIN(exchange) or STREAM(exchange), _shortened
    ),
    "fields of a response that nobody knows": changed(PLAIN, answer(put("x_vendor", {"region": "eu"}))),
    "responses of a dated model": changed(PLAIN, answer(put("model", "ideal-2026-11-14"))),
}
