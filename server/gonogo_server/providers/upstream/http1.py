"""HTTP/1.1 connections for httpcore2's pool that read responses with httptools.

httpcore2 reads with h11, which takes a fifth of the time of a gateway that streams. h11 still writes the requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

import h11
import httpcore2

from gonogo_server.providers.upstream.parsing import Parser

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    import httpx2

    from gonogo_server.providers.upstream.network import Network, Stream

READ: Final = 64 * 2**10
"""The most bytes of one read."""


class Pool(httpcore2.AsyncConnectionPool):
    """A pool of direct connections."""

    def __init__(self, context: ssl.SSLContext, network: Network, limits: httpx2.Limits) -> None:
        super().__init__(
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
        )
        self._made = context, network, limits.keepalive_expiry

    def create_connection(self, origin: httpcore2.Origin) -> Connection:
        """Return a connection that is not open yet."""
        return Connection(origin, *self._made)


class _State(Enum):
    NEW = auto()
    ACTIVE = auto()
    IDLE = auto()
    CLOSED = auto()


class Connection(httpcore2.AsyncConnectionInterface):
    """One connection, opened by its first request and kept for `expiry` idle seconds (None: no limit).

    It is for GET and POST: the response of any other method may have no body.
    """

    def __init__(
        self, origin: httpcore2.Origin, context: ssl.SSLContext, network: Network, expiry: float | None
    ) -> None:
        self._origin, self._context, self._network, self._expiry = origin, context, network, expiry
        self._stream: Stream | None = None
        self._state = _State.NEW
        self._expires: float | None = None

    async def handle_async_request(self, request: httpcore2.Request) -> httpcore2.Response:
        """Return the response before its body. Closes the connection on failure, and raises httpcore2's errors."""
        if self._state not in {_State.NEW, _State.IDLE}:
            raise httpcore2.ConnectionNotAvailable
        self._state = _State.ACTIVE
        timeouts = request.extensions.get("timeout", {})
        try:
            if self._stream is None:
                self._stream = await self._connected(timeouts.get("connect"))
            sent = await _sent(self._stream, request, timeouts.get("write"))
            body = Body(self, self._stream, timeouts.get("read"), sent=sent)
            await body.begin()
        except BaseException:
            await self.aclose()
            raise
        parser = body.parser
        extensions = {"http_version": b"HTTP/1.1", "reason_phrase": parser.reason}
        return httpcore2.Response(parser.status, headers=parser.headers, content=body, extensions=extensions)

    async def _connected(self, timeout: float | None) -> Stream:  # noqa: ASYNC109 - httpcore2's name
        host = self._origin.host.decode("ascii")
        stream = await self._network.connect_tcp(host, self._origin.port, timeout)
        if self._origin.scheme != b"https":
            return stream
        self._context.set_alpn_protocols(["http/1.1"])
        return await stream.start_tls(self._context, host, timeout)

    async def answered(self, *, reusable: bool) -> None:
        """Called when the response is closed: keep the connection if it is reusable, else close it."""
        if not reusable or self._state is not _State.ACTIVE:
            await self.aclose()
            return
        self._state = _State.IDLE
        if self._expiry is not None:
            self._expires = asyncio.get_running_loop().time() + self._expiry

    async def aclose(self) -> None:
        """Close the connection at once."""
        self._state = _State.CLOSED
        if self._stream is not None:
            await self._stream.aclose()

    # ---- called by the pool

    def can_handle_request(self, origin: httpcore2.Origin) -> bool:
        """Whether the connection is to this origin."""
        return origin == self._origin

    def is_connected(self) -> bool:
        """Whether the connection is open."""
        return self._stream is not None and self._state is not _State.CLOSED

    def is_available(self) -> bool:
        """Whether the connection is free for a request."""
        return self._state is _State.IDLE

    def is_idle(self) -> bool:
        """Whether the connection is open and has no request."""
        return self._state is _State.IDLE

    def is_closed(self) -> bool:
        """Whether the connection is closed."""
        return self._state is _State.CLOSED

    def has_expired(self) -> bool:
        """Whether an idle connection is too old, was closed by its peer, or has bytes that belong to no request."""
        if self._state is not _State.IDLE or self._stream is None:
            return False
        late = self._expires is not None and asyncio.get_running_loop().time() > self._expires
        return late or bool(self._stream.get_extra_info("is_readable"))

    def info(self) -> str:
        """A line for the pool's debug output."""
        return f"{self._origin}, HTTP/1.1, {self._state.name}"


class Body:
    """The body of a response as an asynchronous iterator; the caller has to close it."""

    def __init__(self, connection: Connection, stream: Stream, seconds: float | None, *, sent: bool) -> None:
        self.parser = Parser()
        self._connection, self._stream, self._seconds, self._sent = connection, stream, seconds, sent
        self._first = b""
        self._closed = False

    async def begin(self) -> None:
        """Read until the end of the head."""
        while not self.parser.begun:
            self._first = await self._read()

    async def _read(self) -> bytes:
        """Read once, and return the bytes of the body among what was received, perhaps none."""
        data = await self._stream.read(READ, self._seconds)
        if data:
            return self.parser.feed(data)
        self.parser.end()
        return b""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """The next piece, never empty. Closes the connection on failure, and raises httpcore2's errors."""
        piece, self._first = self._first, b""
        try:
            while not piece:
                if self.parser.done:
                    break
                piece = await self._read()
        except BaseException:
            await self.aclose()
            raise
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Keep the connection if request and response are complete, else close it."""
        if not self._closed:
            self._closed = True
            await self._connection.answered(reusable=self._sent and self.parser.reusable)


async def _sent(stream: Stream, request: httpcore2.Request, seconds: float | None) -> bool:
    """Send a request, and return whether the connection may serve another one.

    A peer that stops reading is no error: it may have sent its response before it read everything.
    """
    http = h11.Connection(h11.CLIENT)
    try:
        head = h11.Request(method=request.method, target=request.url.target, headers=request.headers)
        parts = [http.send(head)]
        assert isinstance(request.stream, AsyncIterable)
        parts += [http.send(h11.Data(data=piece)) async for piece in request.stream]
        parts.append(http.send(h11.EndOfMessage()))
    except h11.LocalProtocolError as error:
        raise httpcore2.LocalProtocolError(str(error)) from None
    try:
        await stream.write(b"".join(filter(None, parts)), seconds)
    except httpcore2.WriteError:
        return False
    return http.our_state is h11.DONE
