"""The schemas of Responses and Messages, including streams: what they accept and reject."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import schemathesis
from gonogo_contract import document
from schemathesis.core.failures import FailureGroup

if TYPE_CHECKING:
    from collections.abc import Callable

    Admits = Callable[[str, object], bool]

SCHEMA = schemathesis.openapi.from_dict(document())
RESPONSE: dict[str, Any] = {"model": "m", "input": "Hello."}
MESSAGE: dict[str, Any] = {"model": "m", "max_tokens": 8, "messages": [{"role": "user", "content": "Hello."}]}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
FUNCTION = {"type": "function", "name": "f"}
TOOL = {"name": "f", "input_schema": {"type": "object"}}
USAGE = {
    "input_tokens": 2,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 1,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 3,
}
OBJECT: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1767225600,
    "model": "m",
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": None,
    "output": [],
    "tools": [],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "temperature": 1,
    "top_p": None,
    "usage": USAGE,
}


def items(*given: dict[str, Any]) -> dict[str, Any]:
    return {"input": list(given)}


def says(*blocks: dict[str, Any], role: str = "user") -> dict[str, Any]:
    return {"messages": [{"role": role, "content": list(blocks)}]}


@pytest.mark.parametrize(
    "fields",
    [
        {"store": False, "include": ["reasoning.encrypted_content"], "client_metadata": {"a": 1}},
        {"text": {}, "reasoning": {"summary": "auto"}, "max_output_tokens": 16, "tools": None},
        {"text": {"format": {"type": "json_schema", "name": "a", "schema": {}}, "verbosity": None}},
        {"tools": [FUNCTION | {"parameters": {}, "strict": None}, {"type": "namespace", "tools": []}]},
        {"tools": [{"type": "func"}, {"type": "functions"}, {"type": "mcp"}]},
        {"tools": [FUNCTION], "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [FUNCTION]}},
        items({"role": "developer", "content": "a", "id": None}, {"role": "user", "content": []}),
        items({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]}),
        items(CALL, {"type": "function_call_output", "call_id": "c", "output": "1", "id": "fco_1"}),
        items(
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "1"}]}
        ),
        items({"type": "reasoning", "summary": [], "content": None, "encrypted_content": None}),
    ],
    ids=str,
)
def test_a_request_for_a_response_may_have(admits: Admits, fields: dict[str, Any]) -> None:
    assert admits("CreateResponseRequest", RESPONSE | fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"model": ""},
        {"input": None},
        {"max_output_tokens": 15},
        {"tools": [{"type": "function", "name": "a b"}]},
        {"tools": [{"name": "f"}]},
        {"tool_choice": {"type": "web_search"}},
        {"truncation": "cut"},
        {"text": {"format": {"type": "json_schema", "json_schema": {}}}},
        items({"role": "tool", "content": "a"}),
        items({"type": "function_call_output", "call_id": "c"}),
        items({"type": "unheard_of"}),
    ],
    ids=str,
)
def test_a_request_for_a_response_may_not_have(admits: Admits, fields: dict[str, Any]) -> None:
    assert not admits("CreateResponseRequest", RESPONSE | fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"max_tokens": 0, "speed": "fast", "thinking": {"type": "adaptive"}},
        {"system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
        {"tools": [TOOL, TOOL | {"type": "custom"}, {"type": "web_search_20250305", "name": "web_search"}]},
        {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}, "metadata": {"user_id": "u"}},
        {"output_config": {"format": {"type": "json_schema", "schema": {}}, "effort": "low"}},
        says({"type": "text", "text": "a"}, role="system"),
        says({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "1"}]}),
        says({"type": "tool_result", "tool_use_id": "t", "is_error": True}),
        says({"type": "thinking", "thinking": "a", "signature": ""}, role="assistant"),
    ],
    ids=str,
)
def test_a_request_for_a_message_may_have(admits: Admits, fields: dict[str, Any]) -> None:
    assert admits("CreateMessageRequest", MESSAGE | fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"messages": []},
        {"max_tokens": -1},
        {"tools": [{"name": "f"}]},
        {"tools": [{"type": "custom", "name": "f"}]},
        {"tool_choice": "auto"},
        {"thinking": {"type": "enabled", "budget_tokens": 1023}},
        says({"type": "unheard_of"}),
        says({"type": "text", "text": "a"}, role="developer"),
    ],
    ids=str,
)
def test_a_request_for_a_message_may_not_have(admits: Admits, fields: dict[str, Any]) -> None:
    assert not admits("CreateMessageRequest", MESSAGE | fields)


def test_counting_tokens_asks_for_no_limit(admits: Admits) -> None:
    assert admits("CountMessageTokensRequest", {"model": "m", "messages": MESSAGE["messages"]})
    assert not admits("CreateMessageRequest", {"model": "m", "messages": MESSAGE["messages"]})


@pytest.mark.parametrize("missing", ["input_tokens_details", "output_tokens_details", "total_tokens"])
def test_usage_of_a_response_is_whole_or_absent(admits: Admits, missing: str) -> None:
    assert admits("ResponseObject", OBJECT)
    assert admits("ResponseObject", OBJECT | {"usage": None})
    cut = {name: value for name, value in USAGE.items() if name != missing}
    assert not admits("ResponseObject", OBJECT | {"usage": cut})


def test_an_item_of_a_servers_own_kind_has_its_name_before_a_colon(admits: Admits) -> None:
    assert admits("ResponseObject", OBJECT | {"output": [{"type": "acme:search"}]})
    assert not admits("ResponseObject", OBJECT | {"output": [{"type": "search"}]})
    assert not admits("ResponseObject", OBJECT | {"output": [{"type": "function_call", "name": "f"}]})


CREATED = {"type": "response.created", "sequence_number": 0, "response": OBJECT}
DELTA = {
    "type": "response.output_text.delta",
    "sequence_number": 1,
    "item_id": "msg_1",
    "output_index": 0,
    "content_index": 0,
    "delta": '{"type":"response.completed"}',
    "logprobs": [],
}
COMPLETED = {"type": "response.completed", "sequence_number": 2, "response": OBJECT}
STARTED = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 2, "output_tokens": 1},
    },
}
ENDED = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    "usage": {"output_tokens": 1},
}
STOPPED = {"type": "message_stop"}
BROKEN = {"type": "error", "error": {"type": "api_error", "message": "No."}}


def check(path: str, events: list[object], name: str | None = None) -> None:
    """Raise FailureGroup if the contract does not allow these events as the answer of `path`."""
    response = httpx2.Response(
        200,
        headers={"content-type": "text/event-stream"},
        content="".join(framed(event, name) for event in events).encode(),
        request=httpx2.Request("POST", f"http://127.0.0.1/v1{path}"),
    )
    response.elapsed = timedelta(0)  # otherwise set only by a client
    body = {"/responses": RESPONSE, "/messages": MESSAGE}[path] | {"stream": True}
    SCHEMA[path]["POST"].Case(body=body).validate_response(response)


def framed(event: object, name: str | None) -> str:
    if isinstance(event, str):
        return f"data: {event}\n\n"
    assert isinstance(event, dict)
    return f"event: {name or event['type']}\ndata: {json.dumps(event)}\n\n"


@pytest.mark.parametrize(
    ("path", "events"),
    [
        ("/responses", [CREATED, DELTA, COMPLETED]),
        ("/responses", [CREATED, COMPLETED, "[DONE]"]),
        ("/messages", [STARTED, {"type": "ping"}, ENDED, STOPPED]),
        ("/messages", [STARTED, BROKEN]),
    ],
    ids=str,
)
def test_a_stream_may_be(path: str, events: list[object]) -> None:
    check(path, events)


@pytest.mark.parametrize(
    ("path", "events"),
    [
        ("/responses", []),
        ("/responses", [CREATED, DELTA]),
        ("/responses", [CREATED, COMPLETED, COMPLETED]),
        ("/responses", [CREATED, {"type": "response.unheard_of"}, COMPLETED]),
        ("/responses", [CREATED, {k: v for k, v in DELTA.items() if k != "item_id"}, COMPLETED]),
        ("/messages", [STARTED, ENDED]),
        ("/messages", [STARTED, STOPPED, STOPPED]),
        ("/messages", [{"type": "message_start"}, STOPPED]),
        ("/messages", [STARTED, STOPPED, "[DONE]"]),
    ],
    ids=str,
)
def test_a_stream_may_not_be(path: str, events: list[object]) -> None:
    with pytest.raises(FailureGroup):
        check(path, events)


def test_the_name_of_an_event_of_a_message_is_its_type() -> None:
    with pytest.raises(FailureGroup):
        check("/messages", [STARTED, STOPPED], name="message_stop")
