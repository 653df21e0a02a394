from __future__ import annotations

import asyncio
import errno
import gzip
import inspect
import itertools
import socket
import struct
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import httpx2
import pytest
from gonogo import __version__
from gonogo.collect.recorder import Recorder, _reason, failure_kind
from gonogo.errors import UsageError
from gonogo.exchange import FailureKind, Request, header
from gonogo.redaction import WRONG_KEY

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gonogo.exchange import Exchange

    from tests.suite.collect.conftest import Wire

    Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

MIB = 2**20
SOON = 0.3  # seconds: the limit given to exchanges that cannot end by themselves
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENT_STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


def sends(*pieces: bytes) -> Behaviour:
    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return behave


def sends_and_stays(*pieces: bytes) -> Behaviour:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await sends(*pieces)(reader, writer)
        await reader.read()  # until the other side closes

    return behave


def sends_forever(head: bytes, piece: bytes) -> Behaviour:
    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while not writer.transport.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)  # one piece a turn of the event loop, so that each is sent by itself

    return behave


def resets_after(data: bytes) -> Behaviour:
    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    return behave


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class TestACompleteResponse:
    def test_is_kept_with_its_headers_as_they_were_written(self, wire: Wire) -> None:
        exchange = wire.record(
            sends(b"HTTP/1.1 200 OK\r\nX-Twice: 1\r\nContent-Length: 2\r\nx-twice: \xe9\r\n\r\nok")
        )
        assert exchange.status == 200
        assert exchange.headers == (("X-Twice", "1"), ("Content-Length", "2"), ("x-twice", "\xe9"))
        assert exchange.body == b"ok"
        assert exchange.failure is None

    def test_has_the_id_and_the_stimulus_it_was_recorded_for(self, wire: Wire) -> None:
        exchange = wire.record(sends(OK))
        assert (exchange.id, exchange.stimulus) == ("x1", "test")

    def test_keeps_the_pieces_of_its_body_in_the_order_of_their_arrival(self, wire: Wire) -> None:
        exchange = wire.record(sends(CHUNKED, chunk(b"one"), chunk(b"two"), b"0\r\n\r\n"))
        assert [piece.data for piece in exchange.chunks] == [b"one", b"two"]
        times = [0.0, *(piece.at for piece in exchange.chunks), exchange.seconds]
        assert times == sorted(times)

    def test_may_end_with_the_connection_where_nothing_says_its_length(self, wire: Wire) -> None:
        exchange = wire.record(sends(EVENT_STREAM, b"data: x\n\n"))
        assert (exchange.body, exchange.failure) == (b"data: x\n\n", None)

    def test_follows_informational_ones(self, wire: Wire) -> None:
        exchange = wire.record(
            sends(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", OK)
        )
        assert (exchange.status, exchange.body) == (200, b"ok")

    def test_without_content_is_complete(self, wire: Wire) -> None:
        exchange = wire.record(sends_and_stays(b"HTTP/1.1 204 No Content\r\n\r\n"))
        assert (exchange.status, exchange.body, exchange.failure) == (204, b"", None)

    def test_may_be_a_web_page(self, wire: Wire) -> None:
        exchange = wire.record(sends(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"))
        assert (exchange.media_type, exchange.body) == ("text/html", b"<html>")

    def test_may_hold_a_line_of_four_mebibytes(self, wire: Wire) -> None:
        line = b"data: " + b"x" * (4 * MIB) + b"\n\n"
        exchange = wire.record(sends(EVENT_STREAM, line))
        assert exchange.failure is None
        assert exchange.body == line

    def test_with_more_bytes_than_it_announced_ends_where_it_said(self, wire: Wire) -> None:
        exchange = wire.record(sends(OK, b"and more"))
        assert (exchange.body, exchange.failure) == (b"ok", None)

    @pytest.mark.parametrize("location", [b"/elsewhere", b"http://[", b""])
    def test_may_be_a_redirect_that_nobody_follows(self, wire: Wire, location: bytes) -> None:
        answer = b"HTTP/1.1 307 Over There\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % location
        exchange = wire.record(sends_and_stays(answer))
        assert (exchange.status, exchange.failure, wire.connections) == (307, None, 1)


class TestWhatIsSent:
    def test_is_the_request_line_as_given_after_the_base_url(self, wire: Wire) -> None:
        wire.record(sends(OK), Request("get", "/models/a%2Fb/../c%zz?q=%20"))
        assert wire.heads[0].startswith(b"get /models/a%2Fb/../c%zz?q=%20 HTTP/1.1\r\n")

    @pytest.mark.parametrize(
        ("path", "target"), [("", b"/x"), ("/", b"/x"), ("/v1/", b"/v1/x"), ("/a/v1", b"/a/v1/x")]
    )
    def test_has_one_slash_between_base_url_and_path(self, wire: Wire, path: str, target: bytes) -> None:
        wire.record_all(sends(OK), Request("GET", "/x"), path=path)
        assert wire.heads[0].split()[1] == target

    def test_is_the_body_as_given(self, wire: Wire) -> None:
        bodies = []

        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            bodies.append(await reader.readexactly(9))
            writer.write(OK)

        body = b'{"a": \xff}\n'[:9]
        wire.record(behave, Request("POST", "/x", (("Content-Type", "application/json"),), body))
        assert bodies == [body]
        assert b"Content-Type: application/json\r\n" in wire.heads[0]
        assert b"Content-Length: 9\r\n" in wire.heads[0]

    def test_names_gonogo_and_asks_for_no_content_coding(self, wire: Wire) -> None:
        exchange = wire.record(sends(OK))
        for name, value in (
            ("user-agent", f"gonogo/{__version__}"),
            ("accept", "*/*"),
            ("accept-encoding", "identity"),
        ):
            assert f"{name}: {value}\r\n".encode() in wire.heads[0]
            assert (name, value) in exchange.request.headers

    def test_adds_no_header_that_the_request_brings(self, wire: Wire) -> None:
        wire.record(sends(OK), Request("GET", "/x", (("Accept", "text/plain"), ("USER-AGENT", "curl"))))
        assert b"*/*" not in wire.heads[0]
        assert b"gonogo/" not in wire.heads[0]

    def test_carries_the_key_and_the_exchange_does_not(self, wire: Wire) -> None:
        exchange = wire.record(sends(OK), api_key="s3cret")
        assert b"authorization: Bearer s3cret\r\n" in wire.heads[0]
        assert ("authorization", "[redacted]") in exchange.request.headers

    def test_keeps_an_authorization_of_its_own(self, wire: Wire) -> None:
        wrong = Request("GET", "/x", (("Authorization", "Bearer wrong"),))
        exchange = wire.record(sends(OK), wrong, api_key="s3cret")
        assert b"Bearer wrong" in wire.heads[0]
        assert b"s3cret" not in wire.heads[0]
        assert exchange.request.headers[0] == ("Authorization", "[redacted]")

    def test_leaves_the_key_out_where_the_request_is_anonymous(self, wire: Wire) -> None:
        exchange = wire.record(sends(OK), Request("GET", "/x", anonymous=True), api_key="s3cret")
        assert b"authorization" not in wire.heads[0].lower()
        assert header(exchange.request.headers, "authorization") is None

    def test_is_shown_whole_where_its_key_is_wrong_on_purpose(self, wire: Wire) -> None:
        request = Request("GET", "/x", (("authorization", WRONG_KEY),))
        exchange = wire.record(sends(OK), request, api_key="s3cret")
        assert f"authorization: {WRONG_KEY}\r\n".encode() in wire.heads[0]
        assert exchange.request.headers[0] == ("authorization", WRONG_KEY)

    def test_masks_a_key_that_the_answer_echoes(self, wire: Wire) -> None:
        key = "sk-0123456789abcdef"
        answer = b"HTTP/1.0 401 No\r\n\r\nIncorrect API key: " + key.encode()
        assert wire.record(sends(answer), api_key=key).body == b"Incorrect API key: " + b"*" * len(key)

    def test_holds_no_cookie_that_an_earlier_answer_set(self, wire: Wire) -> None:
        answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"
        wire.record_all(sends(answer), Request("GET", "/1"), Request("GET", "/2"))
        assert b"cookie" not in wire.heads[1].lower()

    def test_raises_value_error_where_it_is_no_http(self, wire: Wire) -> None:
        for request in (Request("GET", "/a b"), Request("GET", "/x", (("a b", "c"),))):
            with pytest.raises(ValueError, match="cannot be sent"):
                wire.record(sends(OK), request)


def test_an_answer_is_read_no_further_than_enough(wire: Wire) -> None:
    endless = sends_forever(EVENT_STREAM, b"data: {}\n\n")
    exchange = wire.record(endless, Request("GET", "/x", enough=4096))
    assert (exchange.status, exchange.failure) == (200, None)
    assert 4096 <= len(exchange.body) < MIB


def test_an_answer_that_is_shorter_than_enough_is_read_to_its_end(wire: Wire) -> None:
    exchange = wire.record(sends(OK), Request("GET", "/x", enough=4096))
    assert (exchange.body, exchange.failure) == (b"ok", None)


class TestABrokenConnection:
    @pytest.mark.parametrize(
        "behave",
        [
            sends(),
            sends(b"HTTP/1."),
            sends(b"HTTP/1.1 200 OK\r\nContent-"),
            resets_after(b""),
            sends(b"hello"),
        ],
        ids=["closed at once", "inside the status line", "inside a header", "reset", "after a word"],
    )
    def test_before_a_response_is_a_reset_without_a_status(self, wire: Wire, behave: Behaviour) -> None:
        exchange = wire.record(behave)
        assert exchange.failure.kind is FailureKind.RESET
        assert exchange.failure.message == "the connection closed before the answer was complete"
        assert (exchange.status, exchange.headers, exchange.chunks) == (None, (), ())
        assert exchange.seconds == exchange.failure.at

    @pytest.mark.parametrize(
        "behave",
        [
            sends(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"),
            sends(CHUNKED, chunk(b"half")),
            sends(CHUNKED, b"9\r\nhalf"),
            sends(CHUNKED, chunk(b"half"), b"0\r\n"),
        ],
        ids=["content-length", "between chunks", "inside a chunk", "before the last line"],
    )
    def test_inside_a_body_keeps_what_came(self, wire: Wire, behave: Behaviour) -> None:
        exchange = wire.record(behave)
        assert exchange.failure.kind is FailureKind.RESET
        assert (exchange.status, exchange.body) == (200, b"half")

    def test_by_a_reset_inside_a_body_keeps_the_status(self, wire: Wire) -> None:
        exchange = wire.record(resets_after(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"))
        assert (exchange.failure.kind, exchange.status) == (FailureKind.RESET, 200)

    def test_after_each_answer_is_none_for_the_next_request(self, wire: Wire) -> None:
        exchanges = wire.record_all(sends(OK), *[Request("GET", f"/{number}") for number in range(5)])
        assert [exchange.failure for exchange in exchanges] == [None] * 5
        assert wire.connections == 5

    def test_is_never_tried_again(self, wire: Wire) -> None:
        wire.record(sends())
        assert wire.connections == 1


class TestWhatIsNotHttp:
    @pytest.mark.parametrize(
        "answer",
        [
            b"hello there\r\n\r\n",
            b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
            b"HTTP/1.1 two hundred\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nspace before : x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        ],
    )
    def test_is_a_protocol_failure_that_says_why(self, wire: Wire, answer: bytes) -> None:
        exchange = wire.record(sends(answer))
        assert exchange.failure.kind is FailureKind.PROTOCOL
        assert exchange.failure.message
        assert exchange.status is None

    @pytest.mark.parametrize("piece", [b"x" * 4096, b"X-Header: x\r\n"])
    def test_ends_where_a_head_never_does(self, wire: Wire, piece: bytes) -> None:
        exchange = wire.record(sends_forever(b"HTTP/1.1 200 OK\r\n", piece))
        assert exchange.failure.kind is FailureKind.PROTOCOL

    def test_may_come_after_the_headers_which_are_kept(self, wire: Wire) -> None:
        exchange = wire.record(sends(CHUNKED, chunk(b"half"), b"zz\r\n"))
        assert exchange.failure.kind is FailureKind.PROTOCOL
        assert (exchange.status, exchange.body) == (200, b"half")


class TestTheTimeLimit:
    def test_ends_a_wait_for_the_first_byte(self, wire: Wire) -> None:
        exchange = wire.record(sends_and_stays(), timeout=SOON)
        assert exchange.failure.kind is FailureKind.TIMEOUT
        assert exchange.failure.message == "no complete answer within 0.3 s"
        assert exchange.status is None

    def test_ends_a_response_of_headers_only_and_keeps_them(self, wire: Wire) -> None:
        exchange = wire.record(sends_and_stays(EVENT_STREAM), timeout=SOON)
        assert exchange.failure.kind is FailureKind.TIMEOUT
        assert (exchange.status, exchange.media_type) == (200, "text/event-stream")

    @pytest.mark.parametrize("piece", [b"x", b": keep-alive\n\n"])
    def test_ends_a_drip_and_keeps_what_came(self, wire: Wire, piece: bytes) -> None:
        exchange = wire.record(sends_forever(EVENT_STREAM, piece), timeout=SOON)
        assert exchange.failure.kind is FailureKind.TIMEOUT
        assert exchange.body
        assert not exchange.body.strip(piece)

    def test_ends_a_head_that_drips(self, wire: Wire) -> None:
        exchange = wire.record(sends_forever(b"HTTP/1.1 200 OK\r\nX: ", b"x"), timeout=SOON)
        assert exchange.failure.kind in {FailureKind.TIMEOUT, FailureKind.PROTOCOL}
        assert exchange.status is None

    def test_ends_informational_responses_without_end(self, wire: Wire) -> None:
        exchange = wire.record(sends_forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), timeout=SOON)
        assert exchange.failure.kind is FailureKind.TIMEOUT
        assert exchange.status is None

    def test_ends_a_request_that_the_target_never_reads(self, wire: Wire) -> None:
        held = asyncio.Event()

        async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.pause_reading()
            held.set()
            while not writer.transport.is_closing():  # reading is paused: only a write shows that it closed
                writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                await writer.drain()
                await asyncio.sleep(0)

        exchange = wire.record(behave, Request("POST", "/x", body=b"x" * (64 * MIB)), timeout=SOON)
        assert held.is_set()
        assert exchange.failure.kind is FailureKind.TIMEOUT

    def test_leaves_a_cancelled_task_cancelled(self, wire: Wire) -> None:
        async def run() -> None:
            async with (
                wire.serve(sends_and_stays()) as base_url,
                Recorder(base_url) as recorder,
            ):
                task = asyncio.create_task(recorder.record(Request("GET", "/x"), id="x1", stimulus="test"))
                await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

        asyncio.run(asyncio.wait_for(run(), 30))


class TestTheSizeLimit:
    def test_keeps_as_many_bytes_as_it_says(self, wire: Wire) -> None:
        exchange = wire.record(sends_forever(EVENT_STREAM, b": keep-alive\n\n"), max_body=10_000)
        assert exchange.failure.kind is FailureKind.TOO_LARGE
        assert exchange.failure.message == "the body is larger than 10000 bytes"
        assert (exchange.status, len(exchange.body)) == (200, 10_000)

    def test_lets_a_body_of_just_that_size_pass(self, wire: Wire) -> None:
        exchange = wire.record(sends(OK), max_body=2)
        assert (exchange.body, exchange.failure) == (b"ok", None)

    def test_counts_bytes_after_decompression_and_never_holds_much_more(self, wire: Wire) -> None:
        bomb = gzip.compress(bytes(256 * MIB), compresslevel=1)
        head = b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
        tracemalloc.start()
        try:
            exchange = wire.record(sends(head, bomb), max_body=MIB)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert exchange.failure.kind is FailureKind.TOO_LARGE
        assert len(exchange.body) == MIB
        assert peak < 32 * MIB

    def test_is_kept_by_joining_the_pieces_of_a_long_drip(self, wire: Wire) -> None:
        pieces = [bytes([65 + number % 26]) for number in range(30_000)]
        exchange = wire.record(sends(CHUNKED, b"".join(map(chunk, pieces)), b"0\r\n\r\n"))
        assert exchange.failure is None
        assert exchange.body == b"".join(pieces)
        assert len(exchange.chunks) == 10_005
        assert [len(piece.data) for piece in exchange.chunks[-5:]] == [4096] * 4 + [20_000 - 4 * 4096]
        assert all(a.at <= b.at for a, b in itertools.pairwise(exchange.chunks))


class TestContentCodings:
    @pytest.mark.parametrize(
        ("coding", "data"),
        [(b"gzip", gzip.compress(b"data: x\n\n")), (b"deflate", zlib.compress(b"data: x\n\n"))],
    )
    def test_are_undone_though_none_was_asked_for(self, wire: Wire, coding: bytes, data: bytes) -> None:
        exchange = wire.record(sends(b"HTTP/1.0 200 OK\r\nContent-Encoding: %s\r\n\r\n" % coding, data))
        assert exchange.header("content-encoding") == coding.decode()
        assert (exchange.body, exchange.failure) == (b"data: x\n\n", None)

    def test_that_are_flushed_give_their_chunks_as_they_arrive(self, wire: Wire) -> None:
        coder = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
        events = [b"data: one\n\n", b"data: two\n\n"]
        flushed = [coder.compress(event) + coder.flush(zlib.Z_SYNC_FLUSH) for event in events]
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
        exchange = wire.record(sends(head, *map(chunk, [*flushed, coder.flush()]), b"0\r\n\r\n"))
        assert [piece.data for piece in exchange.chunks] == events

    def test_that_are_not_what_the_header_says_are_a_protocol_failure(self, wire: Wire) -> None:
        exchange = wire.record(sends(b"HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n{}"))
        assert (exchange.failure.kind, exchange.status) == (FailureKind.PROTOCOL, 200)


class TestAnEarlyAnswer:
    refusal = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"

    def test_to_a_request_that_is_still_being_sent_is_recorded(self, wire: Wire) -> None:
        async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(self.refusal)
            await writer.drain()
            while await reader.read(MIB):  # RFC 9112, section 9.6: read on, lest the answer be lost
                pass

        exchange = wire.record(behave, Request("POST", "/x", body=b"x" * (8 * MIB)))
        assert (exchange.status, exchange.body, exchange.failure) == (413, b"no", None)

    def test_before_a_small_body_was_read_is_recorded(self, wire: Wire) -> None:
        exchange = wire.record(sends(self.refusal), Request("POST", "/x", body=b"x" * 2000))
        assert (exchange.status, exchange.body, exchange.failure) == (413, b"no", None)

    def test_that_the_target_destroys_by_closing_is_at_worst_a_reset(self, wire: Wire) -> None:
        exchange = wire.record(sends(self.refusal), Request("POST", "/x", body=b"x" * (32 * MIB)))
        assert exchange.status == 413 or exchange.failure.kind is FailureKind.RESET


class TestNoConnection:
    def record(self, base_url: str) -> Exchange:
        async def run() -> Exchange:
            async with Recorder(base_url, timeout=15) as recorder:
                return await recorder.record(Request("GET", "/x"), id="x1", stimulus="test")

        return asyncio.run(run())

    def test_is_said_where_nothing_listens(self) -> None:
        with socket.socket() as bound:  # bound and not listening: nobody else gets this port meanwhile
            bound.bind(("127.0.0.1", 0))
            exchange = self.record(f"http://127.0.0.1:{bound.getsockname()[1]}")
        assert exchange.failure.kind is FailureKind.CONNECT
        assert exchange.failure.message == "Connection refused"
        assert exchange.status is None

    def test_has_the_reason_of_the_first_address_where_a_host_has_several(self) -> None:
        refused = [
            ConnectionRefusedError(errno.ECONNREFUSED, f"('{host}', 1)") for host in ("::1", "127.0.0.1")
        ]
        error = OSError("All connection attempts failed")
        error.__cause__ = ExceptionGroup("multiple connection attempts failed", refused)
        assert _reason(httpx2.ConnectError(str(error))) == "All connection attempts failed"
        assert _reason(error) == "Connection refused"

    def test_is_said_where_tls_meets_none(self, wire: Wire) -> None:
        async def run() -> Exchange:
            async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.read(100)
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                writer.close()

            server = await asyncio.start_server(behave, "127.0.0.1", 0)
            async with server:
                url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
                async with Recorder(url, timeout=15) as recorder:
                    return await recorder.record(Request("GET", "/x"), id="x1", stimulus="test")

        exchange = asyncio.run(run())
        assert exchange.failure.kind is FailureKind.CONNECT
        assert "SSL" in exchange.failure.message


class TestProxies:
    @pytest.fixture(autouse=True)
    def _environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.upper(), raising=False)

    def test_of_the_environment_are_not_used_for_loopback(
        self, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        assert wire.record(sends(OK)).status == 200

    @pytest.mark.parametrize("host", ["localhost", "api.localhost", "127.1.2.3", "[::1]"])
    def test_are_not_used_for_any_name_of_loopback(self, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
        monkeypatch.setenv("ALL_PROXY", "unusable://proxy")
        Recorder(f"http://{host}:8000/v1")

    @pytest.mark.parametrize("form", ["http://{}", "{}"])
    @pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
    def test_of_the_environment_are_used_for_other_hosts(
        self, wire: Wire, monkeypatch: pytest.MonkeyPatch, name: str, form: str
    ) -> None:
        async def run() -> Exchange:
            async with wire.serve(sends(OK)) as proxy:
                monkeypatch.setenv(name, form.format(proxy.removeprefix("http://")))
                monkeypatch.delenv("REQUEST_METHOD", raising=False)
                async with Recorder("http://target.invalid/v1", timeout=15) as recorder:
                    return await recorder.record(Request("GET", "/x"), id="x1", stimulus="test")

        assert asyncio.run(run()).status == 200
        assert wire.heads[0].startswith(b"GET http://target.invalid/v1/x HTTP/1.1\r\n")

    def test_are_left_out_for_hosts_in_no_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "unusable://proxy")
        monkeypatch.setenv("NO_PROXY", "target.invalid")
        Recorder("http://target.invalid/v1")


@pytest.mark.parametrize(
    ("base_url", "sentence"),
    [
        ("127.0.0.1:8000", "no base URL"),
        ("ftp://127.0.0.1", "no base URL"),
        ("http://", "no base URL"),
        ("http://host:port", "no URL"),
        ("http://host:99999", "from 1 to 65535"),
        ("http://me:secret@127.0.0.1/v1", "GONOGO_API_KEY"),
        ("http://127.0.0.1/v1?key=1", "ends with its path"),
        ("http://127.0.0.1/v1#top", "ends with its path"),
    ],
)
def test_a_base_url_that_is_none_is_refused_in_a_sentence(base_url: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as error:
        Recorder(base_url)
    assert "secret" not in str(error.value)


def test_exchanges_that_run_together_are_kept_apart(wire: Wire) -> None:
    async def behave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = wire.heads[-1].split()[1]
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + path)

    async def run() -> list[bytes]:
        async with wire.serve(behave) as base_url, Recorder(base_url) as recorder:
            requests = [Request("GET", f"/{number}") for number in range(8)]
            answers = [recorder.record(request, id=request.path, stimulus="test") for request in requests]
            return [exchange.body for exchange in await asyncio.gather(*answers)]

    assert asyncio.run(asyncio.wait_for(run(), 30)) == [b"/%d" % number for number in range(8)]


OURS = {  # what the transport raises for our own mistakes, and what only the client raises, which is not used
    httpx2.LocalProtocolError,
    httpx2.UnsupportedProtocol,
    httpx2.InvalidURL,
    httpx2.CookieConflict,
    httpx2.HTTPStatusError,
    httpx2.TooManyRedirects,
    httpx2.SSEError,
    httpx2.StreamError,
    httpx2.StreamConsumed,
    httpx2.StreamClosed,
    httpx2.ResponseNotRead,
    httpx2.RequestNotRead,
}


def exceptions_of_httpx2() -> list[type[Exception]]:
    public = [getattr(httpx2, name) for name in httpx2.__all__]
    errors = [thing for thing in public if inspect.isclass(thing) and issubclass(thing, Exception)]
    return [error for error in errors if not error.__subclasses__() or error in OURS]


@pytest.mark.parametrize("error", exceptions_of_httpx2(), ids=lambda error: error.__name__)
def test_every_exception_of_the_transport_is_a_failure_or_known_as_ours(error: type[Exception]) -> None:
    instance = error.__new__(error)
    assert (failure_kind(instance) is None) is (error in OURS)
