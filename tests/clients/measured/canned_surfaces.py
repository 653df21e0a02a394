"""A correct server's responses and messages, with the same text and calls as in `canned`."""

from __future__ import annotations

import json
from typing import Any, Final

from .canned_values import CALLS, MODEL, PIECES, TEXT

Object = dict[str, Any]

USAGE_OF_RESPONSE: Final = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 16,
}
USAGE_OF_MESSAGE: Final = {
    "input_tokens": 9,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
    "output_tokens": 7,
}
Call = tuple[str, str, str]


def _named(event: Object) -> bytes:
    return f"event: {event['type']}\ndata: {_json(event)}\n\n".encode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# ---- responses -----------------------------------------------------------------------------------------------


def response(*calls: Call) -> tuple[bytes, ...]:
    """A whole response with a text or with calls."""
    return (_json(_response("completed", _items(calls))).encode(),)


def response_stream(*calls: Call) -> tuple[bytes, ...]:
    """The same as events."""
    begun = _response("in_progress", [])
    events: list[Object] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for index, item in enumerate(_items(calls)):
        events += _call_events(item, index) if calls else _text_events(item, index)
    events.append({"type": "response.completed", "response": _response("completed", _items(calls))})
    return tuple(_named({**event, "sequence_number": number}) for number, event in enumerate(events))


def _response(status: str, output: list[Object]) -> Object:
    done = status == "completed"
    return {
        "id": "resp_c1",
        "object": "response",
        "created_at": 1_760_000_000,
        "completed_at": 1_760_000_001 if done else None,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": MODEL,
        "instructions": None,
        "metadata": {},
        "output": output,
        "tools": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "temperature": 1,
        "top_p": 1,
        "presence_penalty": 0,
        "frequency_penalty": 0,
        "top_logprobs": 0,
        "max_output_tokens": None,
        "max_tool_calls": None,
        "previous_response_id": None,
        "truncation": "disabled",
        "text": {"format": {"type": "text"}},
        "reasoning": None,
        "store": False,
        "background": False,
        "service_tier": "default",
        "usage": USAGE_OF_RESPONSE if done else None,
    }


def _items(calls: tuple[Call, ...]) -> list[Object]:
    if not calls:
        part = _part(TEXT)
        message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
        return [message | {"content": [part]}]
    return [
        {
            "type": "function_call",
            "id": f"fc_{number}",
            "call_id": call,
            "name": name,
            "arguments": arguments,
            "status": "completed",
        }
        for number, (call, name, arguments) in enumerate(calls)
    ]


def _part(text: str) -> Object:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _text_events(item: Object, index: int) -> list[Object]:
    place = {"item_id": item["id"], "output_index": index, "content_index": 0}
    begun = item | {"status": "in_progress", "content": []}
    return [
        {"type": "response.output_item.added", "output_index": index, "item": begun},
        {"type": "response.content_part.added", **place, "part": _part("")},
        *({"type": "response.output_text.delta", **place, "delta": one, "logprobs": []} for one in PIECES),
        {"type": "response.output_text.done", **place, "text": TEXT, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": _part(TEXT)},
        {"type": "response.output_item.done", "output_index": index, "item": item},
    ]


def _call_events(item: Object, index: int) -> list[Object]:
    place = {"item_id": item["id"], "output_index": index}
    arguments = item["arguments"]
    kind = "response.function_call_arguments"
    begun = item | {"status": "in_progress", "arguments": ""}
    return [
        {"type": "response.output_item.added", "output_index": index, "item": begun},
        *({"type": f"{kind}.delta", **place, "delta": one} for one in (arguments[:6], arguments[6:])),
        {"type": f"{kind}.done", **place, "name": item["name"], "arguments": arguments},
        {"type": "response.output_item.done", "output_index": index, "item": item},
    ]


# ---- messages ------------------------------------------------------------------------------------------------


def message(*calls: Call) -> tuple[bytes, ...]:
    """A whole message with a text or with tool uses."""
    uses = [
        {"type": "tool_use", "id": call, "name": name, "input": json.loads(arguments)}
        for call, name, arguments in calls
    ]
    whole = {"content": uses or [{"type": "text", "text": TEXT}], "stop_reason": _reason(calls)}
    return (_json(_message() | whole | {"usage": USAGE_OF_MESSAGE}).encode(),)


def message_stream(*calls: Call) -> tuple[bytes, ...]:
    """The same as events."""
    events: list[Object] = [{"type": "message_start", "message": _message()}, {"type": "ping"}]
    if not calls:
        events += _block(0, {"type": "text", "text": ""}, "text_delta", "text", PIECES)
    for index, (call, name, arguments) in enumerate(calls):
        start = {"type": "tool_use", "id": call, "name": name, "input": {}}
        pieces = ("", arguments[:6], arguments[6:])
        events += _block(index, start, "input_json_delta", "partial_json", pieces)
    ended = {"stop_reason": _reason(calls), "stop_sequence": None}
    events += [{"type": "message_delta", "delta": ended, "usage": USAGE_OF_MESSAGE}, {"type": "message_stop"}]
    return tuple(map(_named, events))


def _message() -> Object:
    return {
        "id": "msg_c1",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": USAGE_OF_MESSAGE | {"output_tokens": 0},
    }


def _block(index: int, start: Object, kind: str, field: str, pieces: tuple[str, ...]) -> list[Object]:
    deltas = [
        {"type": "content_block_delta", "index": index, "delta": {"type": kind, field: piece}}
        for piece in pieces
    ]
    begun = {"type": "content_block_start", "index": index, "content_block": start}
    return [begun, *deltas, {"type": "content_block_stop", "index": index}]


def _reason(calls: tuple[Call, ...]) -> str:
    return "tool_use" if calls else "end_turn"


SURFACES: Final = {
    "response stream": ("/responses", True, response_stream()),
    "response calls stream": ("/responses", True, response_stream(*CALLS)),
    "response": ("/responses", False, response()),
    "response calls": ("/responses", False, response(*CALLS)),
    "message stream": ("/messages", True, message_stream()),
    "message calls stream": ("/messages", True, message_stream(*CALLS)),
    "message": ("/messages", False, message()),
    "message calls": ("/messages", False, message(*CALLS)),
}
"""By scenario name: its path, whether it is a stream, and the pieces of the correct answer."""
