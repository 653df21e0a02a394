"""The two schemas of an event stream together, read by a tool that implements OpenAPI 3.2."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import schemathesis
from gonogo_contract import document
from schemathesis.core.failures import FailureGroup

HEAD = {"id": "c-1", "created": 1767225600, "model": "m"}
CHAT = {
    **HEAD,
    "object": "chat.completion.chunk",
    "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}],
}
TEXT = {
    **HEAD,
    "object": "text_completion",
    "choices": [{"index": 0, "text": "a", "logprobs": None, "finish_reason": None}],
}
ERROR = {"error": {"message": "No.", "type": "server_error", "param": None, "code": None}}
# A text that looks like an error must not be taken for one.
QUOTED = CHAT | {"choices": [{"index": 0, "delta": {"content": '{"error": {}}'}, "finish_reason": None}]}
SCHEMA = schemathesis.openapi.from_dict(document())
REQUESTS: dict[str, dict[str, Any]] = {
    "/chat/completions": {"model": "m", "messages": [{"role": "user", "content": "a"}], "stream": True},
    "/completions": {"model": "m", "prompt": "a", "stream": True},
}


def check(path: str, events: list[object]) -> None:
    """Raise FailureGroup if the contract does not allow these events as the answer of `path`."""
    lines = [event if isinstance(event, str) else json.dumps(event) for event in events]
    response = httpx2.Response(
        200,
        headers={"content-type": "text/event-stream"},
        content="".join(f"data: {line}\n\n" for line in lines).encode(),
        request=httpx2.Request("POST", f"http://127.0.0.1/v1{path}"),
    )
    response.elapsed = timedelta(0)  # otherwise set only by a client
    SCHEMA[path]["POST"].Case(body=REQUESTS[path]).validate_response(response)


@pytest.mark.parametrize(
    ("path", "events"),
    [
        ("/chat/completions", [CHAT, "[DONE]"]),
        ("/chat/completions", [CHAT, ERROR]),
        ("/chat/completions", [CHAT, ERROR, "[DONE]"]),
        ("/completions", [TEXT, "[DONE]"]),
        ("/completions", [TEXT, ERROR]),
    ],
    ids=str,
)
def test_a_stream_may_be(path: str, events: list[object]) -> None:
    check(path, events)


@pytest.mark.parametrize(
    ("path", "events"),
    [
        ("/chat/completions", []),
        ("/chat/completions", ["[DONE]"]),
        ("/chat/completions", [CHAT, CHAT]),
        ("/chat/completions", [CHAT, QUOTED]),
        ("/chat/completions", [CHAT, "[DONE]", "[DONE]"]),
        ("/chat/completions", [TEXT, "[DONE]"]),
        ("/chat/completions", [CHAT, {"error": "No."}]),
        ("/chat/completions", [CHAT | {"choices": None}, "[DONE]"]),
        ("/chat/completions", ["not JSON", "[DONE]"]),
        ("/completions", [TEXT, TEXT]),
        ("/completions", [CHAT, "[DONE]"]),
    ],
    ids=str,
)
def test_a_stream_may_not_be(path: str, events: list[object]) -> None:
    with pytest.raises(FailureGroup):
        check(path, events)
