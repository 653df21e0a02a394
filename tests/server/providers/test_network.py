"""The connections to upstreams: their timeouts, their ends, and TLS, in the errors that httpcore2 knows."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpcore2
import pytest
import trustme
from gonogo_server.providers.upstream.network import MOST_HELD, Network
from server.conftest import PATIENCE
from server.providers.upstreams import DONE, FIRST, HEAD, LAST, STREAMED, gateway, in_chunks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from gonogo_server.providers.upstream.network import Stream

    Serving = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

pytestmark = pytest.mark.anyio

READ = 64 * 2**10
SOON = 0.05
"""Seconds after which a test lets something time out."""


@asynccontextmanager
async def serving(serve: Serving, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server on loopback; its connections end with the test."""
    tasks: set[asyncio.Task[None] | None] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            await serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        async with asyncio.timeout(PATIENCE):
            yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in filter(None, tasks):
            task.cancel()


@asynccontextmanager
async def connected_to(port: int) -> AsyncIterator[Stream]:
    stream = await Network().connect_tcp("127.0.0.1", port, PATIENCE)
    try:
        yield stream
    finally:
        await stream.aclose()


async def silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def echoing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(READ):
        writer.write(data)
        await writer.drain()


def certified(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_written_bytes_are_read_in_reads_of_bounded_size() -> None:
    async with serving(echoing) as port, connected_to(port) as stream:
        await stream.write(b"")
        await stream.write(b"hello")
        assert [await stream.read(3, PATIENCE), await stream.read(3, PATIENCE)] == [b"hel", b"lo"]
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)


async def test_a_closed_port_is_a_connect_error() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        with pytest.raises(httpcore2.ConnectError):
            await Network().connect_tcp("127.0.0.1", held.getsockname()[1], PATIENCE)


async def test_a_read_times_out_independent_of_earlier_reads() -> None:
    async with serving(echoing) as port, connected_to(port) as stream:
        for seconds in (PATIENCE, None, SOON, PATIENCE):
            await stream.write(b"x")
            assert await stream.read(READ, seconds) == b"x"
        with pytest.raises(httpcore2.ReadTimeout):
            await stream.read(READ, SOON)
        await stream.write(b"later")
        assert await stream.read(READ, PATIENCE) == b"later"


async def test_a_read_without_a_time_outlasts_the_timer_of_the_one_before() -> None:
    async with serving(echoing) as port, connected_to(port) as stream:
        await stream.write(b"x")
        assert await stream.read(READ, SOON) == b"x"
        reading = asyncio.create_task(stream.read(READ))
        assert await asyncio.wait([reading], timeout=4 * SOON) == (set(), {reading})
        await stream.write(b"y")
        assert await reading == b"y"


async def test_a_cancelled_read_loses_nothing() -> None:
    async with serving(echoing) as port, connected_to(port) as stream:
        reading = asyncio.create_task(stream.read(READ, PATIENCE))
        await asyncio.wait([reading], timeout=0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await stream.write(b"hello")
        assert await stream.read(READ, PATIENCE) == b"hello"


async def test_a_write_that_the_peer_does_not_take_times_out() -> None:
    async with serving(silent) as port, connected_to(port) as stream:
        with pytest.raises(httpcore2.WriteTimeout):
            await stream.write(bytes(2**26), SOON)


async def test_a_write_waits_for_a_peer_that_takes_it_late() -> None:
    wanted, taken = asyncio.Event(), asyncio.Event()
    size = 2**24

    async def late(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await wanted.wait()
        await reader.readexactly(size)
        taken.set()

    async with serving(late) as port, connected_to(port) as stream:
        writing = asyncio.create_task(stream.write(bytes(size), PATIENCE))
        assert await asyncio.wait([writing], timeout=0) == (set(), {writing})
        wanted.set()
        await writing
        await taken.wait()


async def test_the_end_is_nothing_and_the_peer_still_reads() -> None:
    got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"bye")
        writer.write_eof()
        got.set_result(await reader.readexactly(5))

    async with serving(half) as port, connected_to(port) as stream:
        assert await stream.read(READ, PATIENCE) == b"bye"
        assert await stream.read(READ, PATIENCE) == b""
        await stream.write(b"hello")
        assert await got == b"hello"


async def test_a_connection_that_breaks_keeps_what_came_and_then_fails() -> None:
    async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.write(b"last")
        await writer.drain()
        await reader.readexactly(1)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))

    async with serving(resetting) as port, connected_to(port) as stream:
        await stream.write(b"a")
        assert await stream.read(READ, PATIENCE) == b"last"
        await stream.write(b"b")
        with pytest.raises(httpcore2.ReadError):
            await stream.read(READ, PATIENCE)
        with pytest.raises(httpcore2.WriteError):
            await stream.write(b"c")


async def test_a_closed_connection_is_neither_read_nor_written() -> None:
    async with serving(silent) as port, connected_to(port) as stream:
        reading = asyncio.create_task(stream.read(READ, PATIENCE))
        await asyncio.wait([reading], timeout=0)
        await stream.aclose()
        with pytest.raises(httpcore2.ReadError):
            await reading
        with pytest.raises(httpcore2.WriteError):
            await stream.write(b"x")


async def test_an_idle_connection_says_whether_its_peer_has_left() -> None:
    leave = asyncio.Event()

    async def leaving(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await leave.wait()
        writer.close()

    async with serving(leaving) as port, connected_to(port) as stream:
        assert not stream.get_extra_info("is_readable")
        leave.set()
        assert await stream.read(READ, PATIENCE) == b""
        assert stream.get_extra_info("is_readable")
        await stream.aclose()
        assert stream.get_extra_info("is_readable")


async def test_no_more_is_held_than_the_limit_and_one_read_and_all_of_it_arrives() -> None:
    size = 16 * MOST_HELD

    async def much(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(size))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    most = came = 0
    async with serving(much) as port, connected_to(port) as stream:
        while data := await stream.read(READ, PATIENCE):
            came += len(data)
            most = max(most, stream._size)
    assert came == size
    assert most <= 2 * MOST_HELD


async def test_a_handshake_that_the_peer_does_not_answer_times_out_and_one_that_it_ends_fails() -> None:
    async def hanging_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(READ)
        writer.close()

    async def at_once(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    context = ssl.create_default_context()
    async with serving(silent) as port, connected_to(port) as stream:
        with pytest.raises(httpcore2.ConnectTimeout):
            await stream.start_tls(context, "127.0.0.1", SOON)
    async with serving(hanging_up) as port, connected_to(port) as stream:
        with pytest.raises(httpcore2.ConnectError):
            await stream.start_tls(context, "127.0.0.1", PATIENCE)
    async with serving(at_once) as port, connected_to(port) as stream:
        assert await stream.read(READ, PATIENCE) == b""
        with pytest.raises(httpcore2.ConnectError, match="before the TLS handshake"):
            await stream.start_tls(context, "127.0.0.1", PATIENCE)


async def test_an_untrusted_certificate_is_a_connect_error() -> None:
    async with serving(echoing, certified(trustme.CA())) as port, connected_to(port) as stream:
        with pytest.raises(httpcore2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await stream.start_tls(ssl.create_default_context(), "127.0.0.1", PATIENCE)
        with pytest.raises(httpcore2.WriteError):
            await stream.write(b"x")


@pytest.mark.parametrize("size", [5, 16 * MOST_HELD], ids=["little", "much"])
async def test_tls_carries_what_is_written_and_ends(size: int) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    sent = bytes(size)

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(size))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with serving(answering, certified(authority)) as port, connected_to(port) as plain:
        stream = await plain.start_tls(context, "127.0.0.1", PATIENCE)
        assert stream.get_extra_info("ssl_object").version().startswith("TLS")
        writing = asyncio.create_task(stream.write(sent, PATIENCE))
        came = b""
        while data := await stream.read(READ, PATIENCE):
            came += data
        await writing
        assert came == sent
        stream._transport.abort()
        assert stream.get_extra_info("is_readable")
        await stream.aclose()


@pytest.mark.parametrize("cut", [False, True], ids=["whole", "cut"])
async def test_a_stream_comes_through_the_gateway_from_an_upstream_in_tls(
    *, cut: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    events = (FIRST,) if cut else (FIRST, LAST, DONE)

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + in_chunks(*events) + (b"" if cut else b"0\r\n\r\n"))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with (
        serving(answering, certified(authority)) as port,
        gateway(f"https://127.0.0.1:{port}/v1") as client,
    ):
        answer = await client.post("/chat/completions", json=STREAMED)
    if cut:
        assert b"upstream_failed" in answer.content
        assert DONE not in answer.content
    else:
        assert answer.content == b"".join(events)
