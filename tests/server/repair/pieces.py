"""Chunks for the tests of stages, and the repaired chunks of a stream that ends normally."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonogo_server.repair.base import Requested
from server.repair.gateway import NOW, chunks
from server.repair.test_stream import CHAT, DONE, HEAD, events, piece, through

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document

CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "ring", "arguments": ""}}
CALLED = piece({}, "tool_calls")
WITH_TOOLS = Requested("chat", "m", stream=True, tools=True, fresh_id="chatcmpl-fresh", now=NOW)
TWO = Requested("chat", "m", stream=True, choices=2, fresh_id="chatcmpl-fresh", now=NOW)


def more(arguments: Any, **fields: Any) -> Document:  # noqa: ANN401
    return piece({"tool_calls": [{"index": 0, "function": {"arguments": arguments}, **fields}]})


def call(**fields: Any) -> Document:  # noqa: ANN401
    return piece({"tool_calls": [{**CALL, **fields}]})


def said(text: str, reason: str | None = None, **fields: Any) -> Document:  # noqa: ANN401
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": reason}
    return {**HEAD, "object": "text_completion", "choices": [{**choice, **fields}]}


def mended(sent: list[Any], asked: Requested = CHAT, **options: Any) -> tuple[list[Document], set[str]]:  # noqa: ANN401
    out, noted, error = through(events(sent) + DONE, asked, **options)
    assert error is None, error
    assert out.endswith(DONE)
    return chunks(out), set(noted)
