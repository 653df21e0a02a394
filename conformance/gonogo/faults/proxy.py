"""A broken server on loopback: a conforming server answers, and the proxy applies the fault."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING

import h11

from gonogo.collect.recorder import Recorder
from gonogo.exchange import Exchange, FailureKind, Request

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from gonogo.collect.roles import Recorder as Asks
    from gonogo.exchange import Headers
    from gonogo.faults.playing import Playing

PREFIX = "/v1"
"""The prefix of the API's paths on both sides."""

PATIENCE = 600.0
"""Timeout in seconds for an answer of the conforming server."""

_OUR_OWN = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "expect", "accept-encoding"}
)
"""Header fields of a request that belong to the connection."""

_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive"})
_BODILESS = frozenset({204, 304})
_PIECE = 65536
_NONSENSE = b"this is no HTTP\r\n\r\n"


@asynccontextmanager
async def proxied(
    sound: str, playing: Playing, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[str]:
    """Listen, and yield the base URL of the broken server; `sound` is the base URL of the conforming one.

    Raises OSError if the address is not available.
    """
    root = sound.removesuffix(PREFIX)
    async with (
        Recorder(root, timeout=PATIENCE) as recorder,
        played(recorder, playing, host=host, port=port) as base_url,
    ):
        yield base_url


@asynccontextmanager
async def played(
    recorder: Asks, playing: Playing, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[str]:
    """Like `proxied`, with any recorder for the conforming server; paths begin with the prefix of the API."""
    async with listening(_Broken(recorder, playing).answer, host=host, port=port) as root_url:
        yield root_url + PREFIX


@asynccontextmanager
async def listening(
    answer: Callable[[Request], Awaitable[Exchange]],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    on_end: Callable[[Exchange, float | None], None] = lambda *_: None,
) -> AsyncIterator[str]:
    """Listen, and yield the URL without a path. Each request gets the exchange that `answer` returns, including its
    connection failure.

    `on_end` is called with each sent answer and None, or with the seconds after which the client disconnected. Raises
    OSError if the address is not available.
    """
    connections = _Connections(answer, on_end)
    server = await asyncio.start_server(connections.serve, host, port)
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await connections.hang_up()


class _Connections:
    """All open connections."""

    def __init__(
        self,
        answer: Callable[[Request], Awaitable[Exchange]],
        on_end: Callable[[Exchange, float | None], None],
    ) -> None:
        self._answer, self._on_end = answer, on_end
        self._open: set[asyncio.Task[object]] = set()

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve one connection, until either side ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            connection = _Connection(reader, writer)
            while (request := await connection.request()) is not None:
                if not await self._answered(connection, request):
                    break
        except (OSError, asyncio.CancelledError):
            pass  # either side disconnected
        finally:
            self._open.discard(task)
            writer.close()

    async def _answered(self, connection: _Connection, request: Request) -> bool:
        """Send the answer; returns whether the connection can be reused."""
        begun = perf_counter()
        exchange = await self._answer(request)
        try:
            again = await connection.send(request, exchange, begun)
        except OSError:
            self._on_end(exchange, perf_counter() - begun)
            raise
        self._on_end(exchange, None)
        return again

    async def hang_up(self) -> None:
        """Close all connections."""
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)


class _Broken:
    """The broken server: a conforming one and its fault."""

    def __init__(self, recorder: Asks, playing: Playing) -> None:
        self._recorder = recorder
        self._playing = playing
        self._numbers = count(1)

    async def answer(self, request: Request) -> Exchange:
        """The answer of the conforming server with the fault; unchanged if the path is not of the API."""
        if not request.path.startswith(f"{PREFIX}/"):
            return await self._ask(request)
        asked = replace(request, path=request.path.removeprefix(PREFIX))
        for seen in self._playing.requests(asked):
            exchange = await self._ask(replace(seen, path=PREFIX + seen.path))
            if exchange.status != 200:
                break
        return self._playing.answer(replace(exchange, request=asked))

    async def _ask(self, request: Request) -> Exchange:
        kept = tuple(pair for pair in request.headers if pair[0].lower() not in _OUR_OWN)
        return await self._recorder.record(
            replace(request, headers=kept), id=f"x{next(self._numbers)}", stimulus=""
        )


class _Connection:
    """HTTP/1.1 with one client."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_PIECE)

    async def request(self) -> Request | None:
        """The next complete request; None at the end of the connection, or if the bytes are not a request."""
        head, body = None, b""
        while True:
            try:
                event = await self._next()
            except h11.RemoteProtocolError as error:
                await self._refuse(error.error_status_hint)
                return None
            if isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                headers = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in head.headers)
                return Request(head.method.decode("ascii"), head.target.decode("latin-1"), headers, body)
            else:
                return None

    async def _next(self) -> object:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self._http.they_are_waiting_for_100_continue:
                await self._write(h11.InformationalResponse(status_code=100, headers=[]))
            self._http.receive_data(await self._reader.read(_PIECE))

    async def send(self, request: Request, exchange: Exchange, begun: float) -> bool:
        """Send an answer chunk by chunk, or fail in the recorded way; returns whether the connection can be reused."""
        if exchange.status is not None:
            bodiless = request.method == "HEAD" or exchange.status in _BODILESS
            headers = _framed(exchange, bodiless=bodiless)
            await self._write(h11.Response(status_code=exchange.status, headers=list(headers)))
            for chunk in () if bodiless else exchange.chunks:
                await asyncio.sleep(max(0.0, chunk.at - (perf_counter() - begun)))
                await self._write(h11.Data(data=chunk.data))
        if exchange.failure is not None:
            await self._fail(exchange.failure.kind)
            return False
        await self._write(h11.EndOfMessage())
        if exchange.hung_up or self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return True

    async def _fail(self, kind: FailureKind) -> None:
        """Stall, break the connection, or send bytes that are not HTTP."""
        if kind is FailureKind.TIMEOUT:
            await self._reader.read()  # until the client disconnects
        elif kind is FailureKind.PROTOCOL:
            self._writer.write(_NONSENSE)
            await self._writer.drain()
        self._writer.transport.abort() if kind is FailureKind.RESET else self._writer.close()

    async def _refuse(self, status: int) -> None:
        error = {"message": "This is not a valid HTTP request.", "type": "invalid_request_error"}
        body = json.dumps({"error": error | {"param": None, "code": None}}).encode()
        if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            headers = [("content-type", "application/json"), ("content-length", str(len(body)))]
            await self._write(h11.Response(status_code=status, headers=[*headers, ("connection", "close")]))
            await self._write(h11.Data(data=body))
            await self._write(h11.EndOfMessage())

    async def _write(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data:
            self._writer.write(data)
            await self._writer.drain()


def _framed(exchange: Exchange, *, bodiless: bool) -> Headers:
    """The header fields for the current body; unchanged for an answer without one."""
    kept: Iterable[tuple[str, str]] = (pair for pair in exchange.headers if pair[0].lower() not in _FRAMING)
    if bodiless:
        length = exchange.header("content-length")
        return (*kept, *([("content-length", length)] if length and exchange.status != 204 else []))
    if exchange.header("content-length") is None or exchange.failure is not None:
        return (*kept, ("transfer-encoding", "chunked"))
    return (*kept, ("content-length", str(len(exchange.body))))
