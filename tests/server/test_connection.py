"""What a connection carries: the bytes of h11 for every response, and its judgement of every request."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import TYPE_CHECKING

import pytest
import uvicorn
from gonogo_server.connection import Connection

if TYPE_CHECKING:
    import httpx2
    from starlette.types import Receive, Scope, Send

pytestmark = pytest.mark.anyio

SIZES = [1, 15, 16, 255, 256, 70_000, 300_000]
EVENTS = [b"data: " + b"x" * size + b"\n\n" for size in SIZES]
STREAM = (
    b'{"model": "scripted", "stream": true, "max_tokens": 2, "messages": [{"role": "user", "content": "Hi"}]}'
)


def request(path: str, version: str = "1.1", *headers: str, body: bytes = b"") -> bytes:
    lines = [f"POST {path} HTTP/{version}", "host: x", "content-type: application/json", *headers]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


async def told(scope: Scope, receive: Receive, send: Send) -> None:
    """An application whose path is the media type of what it says; `/breaks` before it ends a stream."""
    asked = scope["path"].removeprefix("/")
    media_type = b"text/event-stream; charset=utf-8" if asked in {"events", "breaks"} else b"text/plain"
    sized = [(b"content-length", str(sum(map(len, EVENTS))).encode())] if asked == "sized" else []
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", media_type), *sized]}
    )
    for event in EVENTS:
        await send({"type": "http.response.body", "body": event, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
    if asked == "breaks":
        raise ZeroDivisionError
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def answers(http: type[asyncio.Protocol] | str, *requests: bytes) -> bytes:
    """All that comes back on one connection, but the date; the last request ends it."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(told, http=http, lifespan="off", log_config=None))
    async with asyncio.timeout(30):
        running = asyncio.create_task(server.serve(sockets=[listener]))
        received = await exchange(*listener.getsockname(), *requests)
        server.should_exit = True
        await running
    return re.sub(rb"\r\ndate: [^\r]+", b"", received)


async def exchange(host: str, port: int, *requests: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"".join(requests))
    received = await reader.read()
    writer.close()
    await writer.wait_closed()
    return received


CLOSE = "connection: close"
EXCHANGES = {
    "a stream": [request("/events", "1.1", CLOSE)],
    "two on one connection": [request("/events"), request("/events", "1.1", CLOSE)],
    "a stream, then no stream": [request("/events"), request("/plain", "1.1", CLOSE)],
    "no stream, then a stream": [request("/sized"), request("/events", "1.1", CLOSE)],
    "a client of HTTP/1.0": [request("/events", "1.0")],
    "a stream that breaks off": [request("/breaks")],
}


@pytest.mark.parametrize("requests", EXCHANGES.values(), ids=EXCHANGES)
async def test_the_bytes_are_those_that_h11_writes(requests: list[bytes]) -> None:
    written = await answers(Connection, *requests)
    assert all(event in written for event in EVENTS)
    assert written == await answers("h11", *requests)


async def asked(live: httpx2.AsyncClient, *requests: bytes) -> tuple[bytes, bytes]:
    """Head and body of what the server says to raw bytes."""
    received = await exchange(live.base_url.host, live.base_url.port or 0, *requests)
    head, _, body = received.partition(b"\r\n\r\n")
    return head.lower(), body


async def test_a_client_of_an_older_version_gets_the_events_and_then_the_end_of_the_connection(
    live: httpx2.AsyncClient,
) -> None:
    head, body = await asked(live, request("/v1/chat/completions", "1.0", body=STREAM))
    assert b"transfer-encoding" not in head
    assert body.startswith(b"data: {")
    assert body.endswith(b"data: [DONE]\n\n")


async def test_no_write_waits_for_the_client_to_confirm_another() -> None:
    undelayed: list[int] = []

    class Observed(Connection):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
            super().connection_made(transport)
            accepted = transport.get_extra_info("socket")
            undelayed.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    await answers(Observed, request("/events", "1.1", CLOSE))
    assert undelayed == [1]


NO_REQUESTS: dict[str, bytes] = {
    "without a host": b"GET /v1/models HTTP/1.1\r\n\r\n",
    "with two hosts": b"GET /v1/models HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
    "with a header that is too large": b"GET /v1/models HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 70_000,
    "that is none": b"what is this\r\n\r\n",
}


@pytest.mark.parametrize("raw", NO_REQUESTS.values(), ids=NO_REQUESTS)
async def test_a_request_is_refused(live: httpx2.AsyncClient, raw: bytes) -> None:
    head, _ = await asked(live, raw)
    assert head.startswith(b"http/1.1 400 ")


def chunks(body: bytes) -> list[bytes]:
    """The chunks of a body, each of which was one write."""
    size, _, rest = body.partition(b"\r\n")
    length = int(size, 16)
    return [rest[:length], *chunks(rest[length + 2 :])] if length else []


async def test_events_that_are_there_together_are_written_at_once(live: httpx2.AsyncClient) -> None:
    body = b'{"model": "scripted", "prompt": "Hi", "n": 8, "max_tokens": 3, "stream": true}'
    _, stream = await asked(live, request("/v1/completions", "1.1", CLOSE, body=body))
    *tokens, done = chunks(stream)
    counts = [chunk.count(b"data: ") for chunk in tokens]
    assert min(counts) >= 8
    assert sum(counts) == 8 * 4
    assert done == b"data: [DONE]\n\n"


async def test_an_event_that_is_there_alone_is_written_alone(live: httpx2.AsyncClient) -> None:
    body = b'{"model": "scripted", "prompt": "Hi", "max_tokens": 3, "stream": true}'
    _, stream = await asked(live, request("/v1/completions", "1.1", CLOSE, body=body))
    assert [chunk.count(b"data: ") for chunk in chunks(stream)] == [1, 1, 2, 1]
