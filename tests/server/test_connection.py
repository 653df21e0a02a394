"""What a connection carries: events as they come, and the parser's judgement of every request."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from gonogo_server import serve
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    import httpx2

pytestmark = pytest.mark.anyio

CLOSE = "connection: close"
STREAM = (
    b'{"model": "scripted", "stream": true, "max_tokens": 2, "messages": [{"role": "user", "content": "Hi"}]}'
)


def request(path: str, version: str = "1.1", *headers: str, body: bytes = b"") -> bytes:
    lines = [f"POST {path} HTTP/{version}", "host: x", "content-type: application/json", *headers]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


async def exchange(host: str, port: int, *requests: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"".join(requests))
    received = await reader.read()
    writer.close()
    await writer.wait_closed()
    return received


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


async def test_no_event_waits_for_the_client_to_confirm_another() -> None:
    undelayed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        undelayed.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with serve._bind(Settings(port=0)) as listener:
        async with asyncio.timeout(30), await asyncio.start_server(accepted, sock=listener):
            await exchange(*listener.getsockname(), b"")
            assert await undelayed == 1


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
