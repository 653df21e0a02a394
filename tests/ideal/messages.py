"""Messages: requests of that API, answered by the same model as chat, in its events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ideal.chat import chat
from ideal.replies import Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ideal.chat import Chat, Spoken
    from ideal.refusal import Refusal

Json = dict[str, Any]

ERROR_TYPES = {401: "authentication_error", 404: "not_found_error", 413: "request_too_large"}
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def message_reply(body: Json, number: int, call_ids: Iterator[str]) -> Reply:
    """The message, whole or as a stream, as requested."""
    asked = _as_chat(body)
    answer = chat(asked, call_ids)
    message = _message(asked, answer, f"msg_{number}", _stopped_by(asked, answer))
    return _stream(message, answer.choices[0]) if body.get("stream") else json_reply(message)


def count_reply(body: Json, call_ids: Iterator[str]) -> Reply:
    """The number of tokens in the prompt of the same message."""
    return json_reply({"input_tokens": chat(_as_chat(body) | {"max_tokens": 1}, call_ids).prompt_tokens})


def refusal_reply(refusal: Refusal, name: str) -> Reply:
    """The refusal in the envelope of the Messages API."""
    kind = ERROR_TYPES.get(refusal.status, "invalid_request_error")
    error = {"type": kind, "message": refusal.envelope["error"]["message"]}
    return json_reply({"type": "error", "error": error, "request_id": name}, refusal.status)


def _as_chat(body: Json) -> Json:
    """The request as a chat. Cache marks, metadata and thinking have no effect here."""
    turns = [turn for message in body["messages"] for turn in _turns(message)]
    asked = {"model": body["model"], "messages": [*_system(body.get("system")), *turns], "seed": 0}
    # Tools of a provider are passed over.
    if tools := [tool for tool in body.get("tools", ()) if tool.get("type", "custom") == "custom"]:
        asked["tools"] = [{"type": "function", "function": _function(tool)} for tool in tools]
        asked |= _choice(body.get("tool_choice", {"type": "auto"}))
    if form := body.get("output_config", {}).get("format"):
        asked["response_format"] = {"type": "json_schema", "json_schema": form}
    same = {name: body[name] for name in ("max_tokens", "temperature") if name in body}
    return asked | same | {"stop": body.get("stop_sequences", [])}


def _system(given: str | list[Json] | None) -> list[Json]:
    return [{"role": "system", "content": given}] if given else []


def _function(tool: Json) -> Json:
    return {"name": tool["name"], "parameters": tool["input_schema"]}


def _choice(choice: Json) -> Json:
    named = {"type": "function", "function": {"name": choice.get("name")}}
    mode = _CHOICES.get(choice["type"], named)
    return {"tool_choice": mode, "parallel_tool_calls": not choice.get("disable_parallel_tool_use")}


def _turns(message: Json) -> Iterator[Json]:
    """A chat message for the text, and one for each tool result."""
    content = message["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    for block in blocks:
        if block["type"] == "tool_result":
            result = block.get("content") or ""
            yield {"role": "tool", "tool_call_id": block["tool_use_id"], "content": result}
    said = [block for block in blocks if block["type"] == "text"]
    calls = [_call(block) for block in blocks if block["type"] == "tool_use"]
    if said or calls:
        text = content if isinstance(content, str) else "".join(block["text"] for block in said)
        yield {"role": message["role"], "content": text} | ({"tool_calls": calls} if calls else {})


def _call(block: Json) -> Json:
    function = {"name": block["name"], "arguments": json.dumps(block["input"])}
    return {"id": block["id"], "type": "function", "function": function}


def _stopped_by(asked: Json, answer: Chat) -> str | None:
    """The stop sequence that ended the text; None if there are none."""
    said = answer.choices[0].said.text
    more = chat(asked | {"stop": []}, iter([""] * 9)).choices[0].said.text[len(said) :]
    return next((stop for stop in asked["stop"] if more.startswith(stop)), None)


def _message(asked: Json, answer: Chat, name: str, stop: str | None) -> Json:
    spoken = answer.choices[0]
    reasons = {"length": "max_tokens", "tool_calls": "tool_use", "stop": "end_turn"}
    usage = {"input_tokens": answer.prompt_tokens, "output_tokens": answer.completion_tokens}
    return {
        "id": name,
        "type": "message",
        "role": "assistant",
        "model": asked["model"],
        "content": list(_blocks(spoken)),
        "stop_reason": "stop_sequence" if stop is not None else reasons[spoken.finish],
        "stop_sequence": stop,
        "usage": usage,
    }


def _blocks(spoken: Spoken) -> Iterator[Json]:
    for call in spoken.calls:
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": _input(call.arguments)}
    if spoken.said.text:
        yield {"type": "text", "text": spoken.said.text}


def _input(arguments: str) -> Json:
    """The arguments of a call; empty if its limit cut it."""
    try:
        value: Json = json.loads(arguments)
    except ValueError:
        return {}
    return value


def _stream(message: Json, spoken: Spoken) -> Reply:
    begun = {"content": [], "stop_reason": None, "stop_sequence": None}
    start = message | begun | {"usage": message["usage"] | {"output_tokens": 1}}
    end = {name: message[name] for name in ("stop_reason", "stop_sequence")}
    events: list[Json] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    for index, block in enumerate(message["content"]):
        events += _events_of(index, block, spoken)
    usage = {"output_tokens": message["usage"]["output_tokens"]}
    events += [{"type": "message_delta", "delta": end, "usage": usage}, {"type": "message_stop"}]
    fields = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
    return Reply(200, fields, tuple(map(_frame, events)))


def _events_of(index: int, block: Json, spoken: Spoken) -> Iterator[Json]:
    """The start of a block, its deltas, and its end."""
    if block["type"] == "text":
        start, kind, field, said = block | {"text": ""}, "text_delta", "text", block["text"]
    else:
        start, kind, field = block | {"input": {}}, "input_json_delta", "partial_json"
        said = spoken.calls[index].arguments
    yield {"type": "content_block_start", "index": index, "content_block": start}
    for letter in said:
        yield {"type": "content_block_delta", "index": index, "delta": {"type": kind, field: letter}}
    yield {"type": "content_block_stop", "index": index}


def _frame(value: Json) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"event: {value['type']}\ndata: {text}\n\n".encode()
