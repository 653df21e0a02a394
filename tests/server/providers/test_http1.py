"""Connections of HTTP/1.1 to upstreams: which of them serve the next request, and which are closed."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx2
import pytest
from gonogo_server.providers.upstream.transport import Transport
from server.conftest import PATIENCE
from server.providers.test_network import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

COUNTED = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


class Answering:
    """A server that gives each connection these answers, one a request, and counts connections."""

    def __init__(self, *answers: bytes, close: bool = False) -> None:
        self.connections = 0
        self.bodies: list[bytes] = []
        self._answers, self._close = answers, close
        self.closed = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for answer in self._answers:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
            except asyncio.IncompleteReadError:
                break
            length = next((int(x[15:]) for x in head.splitlines() if x.startswith(b"content-length:")), 0)
            self.bodies.append(await reader.readexactly(length))
            writer.write(answer)
            await writer.drain()
        if not self._close:
            await reader.read()
        self.closed.set()


@asynccontextmanager
async def asking(port: int, expiry: float | None = 60) -> AsyncIterator[httpx2.AsyncClient]:
    limits = httpx2.Limits(keepalive_expiry=expiry)
    transport = Transport(ssl.create_default_context(), limits, http2=False)
    base_url = f"http://127.0.0.1:{port}"
    async with httpx2.AsyncClient(transport=transport, base_url=base_url, timeout=PATIENCE) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_connection_serves_one_request_after_another(method: str) -> None:
    server = Answering(COUNTED, COUNTED, COUNTED)
    async with serving(server) as port, asking(port) as client:
        bodies = [b"", b"abc", b"x" * 2**20]
        for body in bodies:
            assert (await client.request(method, "/", content=body)).content == b"hello"
    assert (server.connections, server.bodies) == (1, bodies)


@pytest.mark.parametrize(
    "answer",
    [
        COUNTED + b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbad",
        COUNTED + b"junk",
        COUNTED.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"),
        COUNTED.replace(b"1.1", b"1.0"),
    ],
    ids=["another answer", "junk", "a close", "HTTP/1.0"],
)
async def test_a_connection_with_more_than_an_answer_or_with_its_end_announced_is_closed(
    answer: bytes,
) -> None:
    server = Answering(answer)
    async with serving(server) as port, asking(port) as client:
        for _ in range(2):
            assert (await client.get("/")).content == b"hello"
            await server.closed.wait()
    assert server.connections == 2


async def test_an_answer_without_a_length_ends_with_its_connection() -> None:
    server = Answering(b"HTTP/1.1 200 OK\r\n\r\nhello", close=True)
    async with serving(server) as port, asking(port) as client:
        for _ in range(2):
            assert (await client.get("/")).content == b"hello"
    assert server.connections == 2


async def test_a_connection_that_its_peer_closed_or_that_was_idle_for_too_long_is_not_used() -> None:
    server = Answering(COUNTED, close=True)
    async with serving(server) as port, asking(port) as client:
        assert (await client.get("/")).content == b"hello"
        await server.closed.wait()
        assert (await client.get("/")).content == b"hello"
    assert server.connections == 2
    server = Answering(COUNTED)
    async with serving(server) as port, asking(port, expiry=-1) as client:
        for _ in range(2):
            assert (await client.get("/")).content == b"hello"
    assert server.connections == 2


async def test_requests_at_once_have_a_connection_each() -> None:
    server = Answering(COUNTED)
    async with serving(server) as port, asking(port) as client:
        answers = await asyncio.gather(*(client.get("/") for _ in range(5)))
    assert [answer.content for answer in answers] == [b"hello"] * 5
    assert server.connections == 5


async def test_a_body_that_is_left_closes_the_connection() -> None:
    server = Answering(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello")
    async with serving(server) as port, asking(port) as client:
        async with client.stream("GET", "/") as answer:
            assert await anext(answer.aiter_raw()) == b"hello"
        await server.closed.wait()


async def test_a_request_that_is_cancelled_closes_the_connection() -> None:
    server = Answering(b"")
    async with serving(server) as port, asking(port) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.get("/")
        await server.closed.wait()


async def test_a_peer_that_answers_before_it_has_read_the_request_is_heard() -> None:
    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await writer.drain()
        await reader.read()

    async with serving(early) as port, asking(port) as client:
        answer = await client.post("/", content=b"x")
        assert (answer.status_code, answer.reason_phrase, answer.content) == (413, "Too Large", b"no")


async def test_a_header_that_would_begin_another_is_refused_before_it_is_sent() -> None:
    server = Answering(COUNTED)
    async with serving(server) as port, asking(port) as client:
        with pytest.raises(httpx2.LocalProtocolError):
            await client.get("/", headers={"x-request-id": "a\r\nx-other: b"})
    assert server.bodies == []


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nconte", httpx2.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", httpx2.RemoteProtocolError),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nz\r\n",
            httpx2.RemoteProtocolError,
        ),
    ],
    ids=["a cut head", "a cut body", "a bad chunk"],
)
async def test_an_incomplete_or_invalid_response_is_an_error_and_nothing_hangs(
    said: bytes, error: type[Exception]
) -> None:
    async with serving(Answering(said, close=True)) as port, asking(port) as client:
        with pytest.raises(error):
            await client.get("/")
