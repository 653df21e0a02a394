"""Upstreams that fail in one way each, as applications."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from gonogo_server import compose
from gonogo_server.app import create_app
from gonogo_server.settings import Settings
from server.conftest import listen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import httpx2
    from starlette.types import ASGIApp, Receive, Scope, Send

    Answering = Callable[[Scope, Receive, Send], Awaitable[None]]

HELLO = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
STREAMED = {**HELLO, "stream": True}


def chunk(text: str | None = None, reason: str | None = None, **more: Any) -> bytes:  # noqa: ANN401 - JSON
    """An event of a chat."""
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    document = {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "m",
        "choices": [choice],
    }
    return b"data: " + json.dumps({**document, **more}).encode() + b"\n\n"


FIRST = chunk("").replace(b'"content": ""', b'"role": "assistant", "content": ""')
LAST = chunk(reason="stop")
DONE = b"data: [DONE]\n\n"
STREAM = (FIRST, chunk("Hello"), LAST, DONE)


async def read(receive: Receive) -> bytes:
    """The body of a request."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def replying(
    *pieces: bytes,
    status: int = 200,
    media_type: str = "text/event-stream",
    headers: tuple[tuple[bytes, bytes], ...] = (),
    after: Callable[[Receive], Awaitable[None]] | None = None,
) -> ASGIApp:
    """An application that sends these pieces, and then waits for `after`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await read(receive)
        head = [(b"content-type", media_type.encode()), *headers]
        await send({"type": "http.response.start", "status": status, "headers": head})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if after is not None:
            await after(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return http(app)


def http(answering: Answering) -> ASGIApp:
    """An application that answers requests this way and supports the lifespan protocol."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await answering(scope, receive, send)

    return app


async def gone(receive: Receive) -> None:
    """Wait until the client has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def for_ever(_receive: Receive) -> None:
    """Never end, even if the client waits."""
    await asyncio.Event().wait()


@asynccontextmanager
async def gateway(*urls: object, **settings: Any) -> AsyncIterator[httpx2.AsyncClient]:  # noqa: ANN401 - settings
    """A client of a gateway in front of the provider `lab` with these base URLs."""
    lab = {"url": [str(url) for url in urls], **settings.pop("lab", {})}
    made = Settings(providers={"lab": lab}, **settings)  # type: ignore[arg-type]  # checked by the model
    registry = compose.providers(made, None)
    try:
        async with listen(create_app(registry, made)) as client:
            yield client
    finally:
        await registry.close()


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@asynccontextmanager
async def dying(*, answered: int, expected: int) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The base URL of a server that closes all connections once it has received `expected` requests.

    By then it has begun to answer the first `answered` of them.
    """
    writers: list[asyncio.StreamWriter] = []
    killed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1]) for line in head.lower().splitlines() if line.startswith(b"content-l")
        )
        await reader.readexactly(length)
        writers.append(writer)
        if len(writers) <= answered:
            writer.write(HEAD + b"%x\r\n%b\r\n" % (len(FIRST), FIRST))
            await writer.drain()
        if len(writers) == expected:
            server.close()
            killed.set()
            for each in writers:
                each.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", killed
    finally:
        server.close()


@asynccontextmanager
async def hanging_up(*pieces: bytes) -> AsyncIterator[str]:
    """The base URL of a server that answers each request with these raw bytes and closes the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.writelines(pieces)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()


def in_chunks(*events: bytes) -> bytes:
    """The events, each in one HTTP chunk, of an answer that continues."""
    return b"".join(b"%x\r\n%b\r\n" % (len(event), event) for event in events)
