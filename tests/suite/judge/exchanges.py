"""Answers of surfaces other than chat, made by hand: one JSON object, or named events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gonogo.exchange import Chunk, Exchange, Request

if TYPE_CHECKING:
    from collections.abc import Iterable

Json = dict[str, Any]


def answer_to(path: str, value: Json, asked: Json | None = None) -> Exchange:
    """A whole answer."""
    return _exchange(path, asked, "application/json", json.dumps(value).encode())


def stream_to(path: str, events: Iterable[Json], asked: Json | None = None) -> Exchange:
    """A stream of events, each named by its type."""
    frames = (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    return _exchange(path, asked, "text/event-stream", "".join(frames).encode())


def _exchange(path: str, asked: Json | None, media_type: str, data: bytes) -> Exchange:
    request = Request("POST", path, body=json.dumps(asked or {}).encode())
    head = (("content-type", media_type),)
    return Exchange("x1", f"POST {path}", request, 200, head, (Chunk(0.1, data),), None, 0.2)
