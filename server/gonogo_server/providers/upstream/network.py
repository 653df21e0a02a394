"""TCP and TLS connections for httpcore2, on the transports of asyncio.

httpcore2's own connections go through anyio, which takes about a fifth of the time of a gateway that streams.
"""

from __future__ import annotations

import asyncio
import select
from contextlib import contextmanager
from math import inf
from typing import TYPE_CHECKING, Final

import httpcore2

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

MOST_HELD: Final = 256 * 2**10
"""The most bytes that are buffered; above it, reading from the socket is paused."""
SECOND_ADDRESS_SECONDS: Final = 0.25
"""The delay before the next address of a host is tried as well. Source: RFC 8305, section 5."""


class Network(httpcore2.AsyncNetworkBackend):
    """Opens the connections of a pool on the running event loop."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the name that httpcore2 gives it
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> Stream:
        """Connect to a host. Raises `httpcore2.ConnectTimeout` after `timeout` seconds, or `ConnectError`."""
        loop = asyncio.get_running_loop()
        with _failing_to_connect():
            async with asyncio.timeout(timeout):
                transport, stream = await loop.create_connection(
                    lambda: Stream(loop),
                    host,
                    port,
                    local_addr=None if local_address is None else (local_address, 0),
                    happy_eyeballs_delay=SECOND_ADDRESS_SECONDS,
                )
            for option in socket_options or ():
                transport.get_extra_info("socket").setsockopt(*option)
        return stream


class Stream(asyncio.Protocol, httpcore2.AsyncNetworkStream):
    """One connection. At most one task may read at a time, and one write."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, tls: bool = False) -> None:
        self._loop = loop
        self._tls = tls
        self._held: list[bytes] = []
        self._size = 0
        self._ended = self._lost = self._closed = False
        self._error: Exception | None = None
        self._reading: asyncio.Future[None] | None = None
        self._writing: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = inf

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore2's name
        """Return received bytes, at most `max_bytes`; none at the end of the connection.

        Raises `httpcore2.ReadTimeout` after `timeout` seconds, or `ReadError`.
        """
        if not (self._held or self._ended):
            await self._wait(timeout)
        if self._held:
            return self._taken(max_bytes)
        if self._error is not None or self._closed:
            raise httpcore2.ReadError(str(self._error or "The connection is closed."))
        return b""

    def _taken(self, most: int) -> bytes:
        data, self._held = b"".join(self._held), []
        if len(data) > most:
            data, rest = data[:most], data[most:]
            self._held.append(rest)
        if self._size > MOST_HELD >= self._size - len(data):
            self._transport.resume_reading()
        self._size -= len(data)
        return data

    async def _wait(self, seconds: float | None) -> None:
        """Wait until there are bytes to read, or the connection has ended.

        The timer is kept between reads, and checks the deadline when it fires: a timer for each read would cost more
        than the read.
        """
        assert self._reading is None, "another task reads"
        self._reading = self._loop.create_future()
        self._deadline = inf if seconds is None else self._loop.time() + seconds
        if self._timer is not None and self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None and seconds is not None:
            self._timer = self._loop.call_at(self._deadline, self._check_deadline)
        try:
            await self._reading
        finally:
            self._reading = None

    def _check_deadline(self) -> None:
        self._timer = None
        if self._reading is None or self._reading.done() or self._deadline == inf:
            return
        if self._loop.time() >= self._deadline:
            self._reading.set_exception(httpcore2.ReadTimeout())
        else:
            self._timer = self._loop.call_at(self._deadline, self._check_deadline)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore2's name
        """Send. Raises `httpcore2.WriteTimeout` if the peer reads too little in `timeout` seconds, or `WriteError`."""
        if not buffer:
            return
        if self._lost or self._transport.is_closing():
            raise httpcore2.WriteError(str(self._error or "The connection is closed."))
        self._transport.write(buffer)
        if self._writing is None:
            return
        try:
            async with asyncio.timeout(timeout):
                await asyncio.shield(self._writing)
        except TimeoutError:
            raise httpcore2.WriteTimeout from None

    async def aclose(self) -> None:
        """Close the connection at once; bytes that are not sent yet are dropped."""
        self._closed = self._ended = True
        self._transport.abort()
        self._wake()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the name that httpcore2 gives it
    ) -> Stream:
        """Start TLS on the connection. Closes it on failure, and raises as `Network.connect_tcp` does."""
        stream, made = Stream(self._loop, tls=True), None
        try:
            with _failing_to_connect():
                if not self._ended:  # else asyncio waits for a handshake that cannot come
                    async with asyncio.timeout(timeout):
                        made = await self._loop.start_tls(
                            self._transport, stream, ssl_context, server_hostname=server_hostname
                        )
        finally:
            if made is None:
                await self.aclose()
        if made is None:
            raise httpcore2.ConnectError("The peer closed the connection before the TLS handshake had ended.")
        stream.connection_made(made)  # asyncio does not call it
        return stream

    def get_extra_info(self, info: str) -> object:
        """`ssl_object`, `socket`, an address, or `is_readable`: whether an idle connection has ended or has bytes."""
        if info == "is_readable":
            return bool(self._held) or self._ended or _is_readable(self._transport)
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._transport.get_extra_info(names.get(info, info))

    # ---- callbacks of the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep the bytes for the next read."""
        self._held.append(data)
        self._size += len(data)
        if self._size > MOST_HELD:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """The peer sends nothing more. It may still read, except in TLS, which asyncio closes in both directions."""
        self._ended = True
        self._wake()
        return not self._tls

    def connection_lost(self, exc: Exception | None) -> None:
        """End reads, and fail writes that wait."""
        self._ended = self._lost = True
        self._error = exc
        self._wake()
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None and not self._writing.done():
            self._writing.set_exception(httpcore2.WriteError(str(exc or "The connection is closed.")))
            self._writing.exception()  # retrieved, as no task may be waiting

    def pause_writing(self) -> None:
        """The send buffer is full."""
        self._writing = self._loop.create_future()

    def resume_writing(self) -> None:
        """The send buffer has room again."""
        if self._writing is not None:
            self._writing.set_result(None)
            self._writing = None

    def _wake(self) -> None:
        if self._reading is not None and not self._reading.done():
            self._reading.set_result(None)


@contextmanager
def _failing_to_connect() -> Iterator[None]:
    """Convert network errors to those of httpcore2."""
    try:
        yield
    except TimeoutError as error:
        raise httpcore2.ConnectTimeout(str(error)) from None
    except OSError as error:  # also of TLS
        raise httpcore2.ConnectError(str(error)) from error


def _is_readable(transport: asyncio.Transport) -> bool:
    """Whether the socket has data or an end of the connection that the event loop has not read yet."""
    sock = transport.get_extra_info("socket")  # None once TLS has lost its connection
    descriptor = -1 if sock is None else sock.fileno()
    if descriptor < 0:
        return True
    if not hasattr(select, "poll"):  # on Windows
        return bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
