"""Servers that answer without content: the rules that they may pass are known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo.exchange import Chunk, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Headers, Request

JSON: Headers = (("content-type", "application/json"),)
STREAM: Headers = (("content-type", "text/event-stream"),)

Answer = tuple[int, "Headers", bytes]


@dataclass
class Poor:
    """A server whose answers depend only on the request; implements the collector's recorder."""

    answer: Callable[[Request], Answer]

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002 - its name
        """The exchange, whose body comes in one piece."""
        status, headers, body = self.answer(request)
        chunks = (Chunk(0.001, body),) if body else ()
        return Exchange(id, stimulus, request, status, headers, chunks, None, 0.002)


def null(_: Request) -> Answer:
    """`200 {}` to everything."""
    return 200, JSON, b"{}"


def silent(_: Request) -> Answer:
    """204 to everything."""
    return 204, (), b""


def echo(request: Request) -> Answer:
    """The request's own body, with 200."""
    return 200, JSON, request.body


def naive(request: Request) -> Answer:
    """A fixed chat completion, whole or streamed, for every request; other operations are missing."""
    if request.path.endswith("/models") and request.method == "GET":
        return 200, JSON, json.dumps({"object": "list", "data": [{"id": "naive"}]}).encode()
    if request.path != "/chat/completions":
        return 404, JSON, b'{"detail": "Not Found"}'
    head = {"id": "1", "created": 1_760_000_000, "model": "naive"}
    if request.fields.get("stream") is True:
        chunks = [
            {**head, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": word}}]}
            for word in ("Hello", " from", " a", " server")
        ]
        return 200, STREAM, b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    message = {"role": "assistant", "content": "Hello from a server"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return 200, JSON, json.dumps({**head, "object": "chat.completion", "choices": [choice]}).encode()


SERVERS: dict[str, Callable[[Request], Answer]] = {
    "null": null,
    "silent": silent,
    "echo": echo,
    "naive": naive,
}
