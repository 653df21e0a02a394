"""Answers made by hand, each to a request that a client could have sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from gonogo.clients.nodejs import find
from gonogo.exchange import Chunk, Exchange, Request
from suite.clients.reading_in_node import INSTALLED

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.clients.nodejs import Node

    Make = Callable[..., Exchange]

JSON = "application/json"
EVENT_STREAM = "text/event-stream"

REQUESTS: dict[str, dict[str, Any] | None] = {
    "/models": None,
    "/models/org%2Fm": None,
    "/chat/completions": {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8},
    "/completions": {"model": "m", "prompt": "Hello", "max_tokens": 8},
    "/embeddings": {"model": "e", "input": "Hello"},
    "/responses": {"model": "m", "input": "Hello"},
    "/messages": {"model": "m", "max_tokens": 8, "messages": [{"role": "user", "content": "Hello"}]},
}


def exchange(
    path: str,
    body: bytes,
    media_type: str = JSON,
    *,
    status: int = 200,
    asked: dict[str, Any] | None = None,
    pieces: int = 1,
) -> Exchange:
    """The answer to the request of this path, updated with `asked`, in `pieces` pieces."""
    known = REQUESTS[path]
    sent = b"" if known is None else json.dumps(known | (asked or {})).encode()
    request = Request("GET" if known is None else "POST", path, (("content-type", JSON),), sent)
    size = -(-len(body) // pieces) or 1
    chunks = tuple(Chunk(0.1, body[at : at + size]) for at in range(0, len(body), size))
    return Exchange("x1", path, request, status, (("content-type", media_type),), chunks, None, 0.2)


@pytest.fixture
def whole() -> Make:
    """A whole answer: a value as JSON, or raw bytes."""

    def make(path: str, value: Any, media_type: str = JSON, **options: Any) -> Exchange:  # noqa: ANN401 - JSON
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return exchange(path, body, media_type, **options)

    return make


@pytest.fixture
def streamed() -> Make:
    """A stream of events with this data: values as JSON, raw strings, or raw bytes."""

    def make(
        path: str,
        *events: Any,  # noqa: ANN401 - JSON
        media_type: str = EVENT_STREAM,
        asked: dict[str, Any] | None = None,
        **options: Any,  # noqa: ANN401 - those of `exchange`
    ) -> Exchange:
        body = b"".join(
            event
            if isinstance(event, bytes)
            else b"data: " + (event if isinstance(event, str) else json.dumps(event)).encode() + b"\n\n"
            for event in events
        )
        return exchange(path, body, media_type, asked={"stream": True, **(asked or {})}, **options)

    return make


@pytest.fixture(scope="session")
def node() -> Node:
    """The Node clients that the tests install."""
    return find(INSTALLED)
