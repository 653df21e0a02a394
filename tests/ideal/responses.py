"""Responses: a chat in another form, as one object or as events."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

from ideal.chat import chat
from ideal.refusal import Refusal
from ideal.replies import CREATED, Reply, json_reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ideal.chat import Chat

Json = dict[str, Any]

_ECHOED: Json = {
    "instructions": None,
    "metadata": {},
    "tools": [],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "top_p": 1.0,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "reasoning": None,
    "user": None,
    "safety_identifier": None,
    "prompt_cache_key": None,
}
"""Members that echo the request, and their defaults."""
_FIXED: Json = {
    "previous_response_id": None,
    "truncation": "disabled",
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "top_logprobs": 0,
    "store": False,
    "background": False,
    "service_tier": "default",
}


def respond(body: Json, number: int, call_ids: Iterator[str]) -> Reply:
    """Answer a request that matches the schema. Raises Refusal if it breaks another rule of the contract."""
    if "previous_response_id" in body:
        raise Refusal("No response is kept.", param="previous_response_id")
    done = chat(_as_chat(body), call_ids)
    final, events = _told(body, done, number)
    if not body.get("stream"):
        return json_reply(final)
    head = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
    return Reply(200, head, tuple(_frame(place, event) for place, event in enumerate(events)))


def count_input(body: Json) -> Reply:
    """The number of tokens in the input of a request."""
    tokens = chat(_as_chat(body), (f"call_{number}" for number in count(1))).prompt_tokens
    return json_reply({"object": "response.input_tokens", "input_tokens": tokens})


# ---- the request ---------------------------------------------------------------------------------------------


def _as_chat(body: Json) -> Json:
    """The same request for chat."""
    same = ("model", "temperature", "top_p", "parallel_tool_calls", "seed")
    asked: Json = {name: body[name] for name in same if name in body}
    asked["messages"] = list(_messages(body))
    if not asked["messages"]:
        raise Refusal("There is nothing to answer.", param="input")
    if "max_output_tokens" in body:
        asked["max_tokens"] = body["max_output_tokens"]
    form = body.get("text", {}).get("format", {"type": "text"})
    inner = {name: value for name, value in form.items() if name != "type"}
    asked["response_format"] = {"type": form["type"]} | ({"json_schema": inner} if inner else {})
    functions = [tool for tool in body.get("tools", ()) if tool["type"] == "function"]
    if functions:
        asked["tools"] = [{"type": "function", "function": _function(tool)} for tool in functions]
        asked["tool_choice"] = _choice(body.get("tool_choice", "auto"))
    return asked


def _function(tool: Json) -> Json:
    return {"name": tool["name"], "parameters": tool.get("parameters") or {"type": "object"}}


def _choice(choice: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(choice, str):
        return choice
    return {"type": "function", "function": {"name": choice["name"]}}


def _messages(body: Json) -> Iterator[Json]:
    if "instructions" in body:
        yield {"role": "system", "content": body["instructions"]}
    given = body["input"]
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given:
        match item.get("type", "message"):
            case "message":
                yield {"role": item["role"], "content": _text(item["content"])}
            case "function_call":
                function = {"name": item["name"], "arguments": item["arguments"]}
                call = {"id": item["call_id"], "type": "function", "function": function}
                yield {"role": "assistant", "tool_calls": [call]}
            case "function_call_output":
                yield {"role": "tool", "tool_call_id": item["call_id"], "content": _text(item["output"])}


def _text(content: Any) -> str:  # noqa: ANN401 - JSON
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


# ---- the answer ----------------------------------------------------------------------------------------------


def _told(body: Json, done: Chat, number: int) -> tuple[Json, list[Json]]:
    """The final response, and the events that lead to it."""
    (choice,) = done.choices
    begun = _response(body, number, "in_progress")
    events: list[Json] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    output: list[Json] = []
    if body.get("reasoning", {}).get("summary"):
        thought = _reasoning(number)
        events += _of_reasoning(thought)
        output.append(thought)
    cut = choice.finish == "length"
    for place, call in enumerate(choice.calls):
        is_last = place + 1 == len(choice.calls)
        state = "incomplete" if cut and is_last else "completed"
        item = {
            "id": f"fc_{number}{place}",
            "type": "function_call",
            "status": state,
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments,
        }
        events += _of_call(item, len(output))
        output.append(item)
    if not choice.calls:
        part = {"type": "output_text", "text": choice.said.text, "annotations": [], "logprobs": []}
        item = {
            "id": f"msg_{number}",
            "type": "message",
            "status": "incomplete" if cut else "completed",
            "role": "assistant",
            "content": [part],
        }
        events += _of_message(item, len(output), [token.text for token in choice.said.drawn])
        output.append(item)
    status = "incomplete" if cut else "completed"
    final = _response(body, number, status) | {"output": output, "usage": _usage(done)}
    if cut:
        final["incomplete_details"] = {"reason": "max_output_tokens"}
    else:
        final["completed_at"] = CREATED
    return final, [*events, {"type": f"response.{status}", "response": final}]


def _of_call(item: Json, index: int) -> Iterator[Json]:
    place = {"item_id": item["id"], "output_index": index}
    begun = item | {"status": "in_progress", "arguments": ""}
    name = "response.function_call_arguments"
    yield {"type": "response.output_item.added", "output_index": index, "item": begun}
    for letter in item["arguments"]:
        yield {"type": f"{name}.delta", **place, "delta": letter}
    yield {"type": f"{name}.done", **place, "name": item["name"], "arguments": item["arguments"]}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _reasoning(number: int) -> Json:
    """A reasoning item for requests that ask for a summary, although the model does not reason."""
    summary = {"type": "summary_text", "text": "Nothing to think about."}
    return {"id": f"rs_{number}", "type": "reasoning", "status": "completed", "summary": [summary]}


def _of_reasoning(item: Json) -> Iterator[Json]:
    (part,) = item["summary"]
    place = {"item_id": item["id"], "output_index": 0, "summary_index": 0}
    begun = item | {"status": "in_progress", "summary": []}
    yield {"type": "response.output_item.added", "output_index": 0, "item": begun}
    yield {"type": "response.reasoning_summary_part.added", **place, "part": part | {"text": ""}}
    yield {"type": "response.reasoning_summary_text.delta", **place, "delta": part["text"]}
    yield {"type": "response.reasoning_summary_text.done", **place, "text": part["text"]}
    yield {"type": "response.reasoning_summary_part.done", **place, "part": part}
    yield {"type": "response.output_item.done", "output_index": 0, "item": item}


def _of_message(item: Json, index: int, pieces: list[str]) -> Iterator[Json]:
    (part,) = item["content"]
    place = {"item_id": item["id"], "output_index": index, "content_index": 0}
    name = "response.output_text"
    begun = item | {"status": "in_progress", "content": []}
    yield {"type": "response.output_item.added", "output_index": index, "item": begun}
    yield {"type": "response.content_part.added", **place, "part": part | {"text": ""}}
    for piece in filter(None, pieces):
        yield {"type": f"{name}.delta", **place, "delta": piece, "logprobs": []}
    yield {"type": f"{name}.done", **place, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **place, "part": part}
    yield {"type": "response.output_item.done", "output_index": index, "item": item}


def _response(body: Json, number: int, status: str) -> Json:
    return {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": CREATED,
        "completed_at": None,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": body["model"],
        **{name: body.get(name, otherwise) for name, otherwise in _ECHOED.items()},
        **_FIXED,
        "text": {"format": body.get("text", {}).get("format", {"type": "text"})},
        "output": [],
        "usage": None,
    }


def _usage(done: Chat) -> Json:
    given, made = done.prompt_tokens, done.completion_tokens
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": given + made,
    }


def _frame(number: int, event: Json) -> bytes:
    value = {"type": event["type"], "sequence_number": number, **event}
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return b"event: " + event["type"].encode() + b"\ndata: " + data + b"\n\n"
