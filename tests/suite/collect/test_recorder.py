"""The record of an answer, whole or interrupted, HTTP or not."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from time import time
from typing import TYPE_CHECKING

import pytest
from gonogo.collect.recorder import Recorder
from gonogo.exchange import FailureKind, Request
from suite.collect.raw_answers import (
    CHUNKED,
    EVENT_STREAM,
    MIB,
    OK,
    chunk,
    resets_after,
    sends,
    sends_and_stays,
    sends_forever,
)

if TYPE_CHECKING:
    from suite.collect.raw_answers import Behaviour

    from tests.suite.collect.conftest import Wire


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

    def test_may_hold_a_line_of_a_mebibyte(self, wire: Wire) -> None:
        line = b"data: " + b"x" * MIB + b"\n\n"
        exchange = wire.record(sends(EVENT_STREAM, line))
        assert exchange.failure is None
        assert exchange.body == line

    def test_with_more_bytes_than_it_announced_ends_where_it_said(self, wire: Wire) -> None:
        exchange = wire.record(sends(OK, b"and more"))
        assert (exchange.body, exchange.failure) == (b"ok", None)

    @pytest.mark.parametrize("location", [b"/elsewhere", b"http://[", b""])
    def test_may_be_a_redirect_which_is_not_followed(self, wire: Wire, location: bytes) -> None:
        answer = b"HTTP/1.1 307 Over There\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % location
        exchange = wire.record(sends_and_stays(answer))
        assert (exchange.status, exchange.failure, wire.connections) == (307, None, 1)


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


class TestContentCodings:
    @pytest.mark.parametrize(
        ("coding", "data"),
        [(b"gzip", gzip.compress(b"data: x\n\n")), (b"deflate", zlib.compress(b"data: x\n\n"))],
        ids=["gzip", "deflate"],
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
            while await reader.read(
                MIB
            ):  # RFC 9112, section 9.6: continue reading, so that the answer is not lost
                pass

        exchange = wire.record(behave, Request("POST", "/x", body=b"x" * (8 * MIB)))
        assert (exchange.status, exchange.body, exchange.failure) == (413, b"no", None)

    def test_before_a_small_body_was_read_is_recorded(self, wire: Wire) -> None:
        exchange = wire.record(sends(self.refusal), Request("POST", "/x", body=b"x" * 2000))
        assert (exchange.status, exchange.body, exchange.failure) == (413, b"no", None)

    def test_that_the_target_destroys_by_closing_is_at_worst_a_reset(self, wire: Wire) -> None:
        exchange = wire.record(sends(self.refusal), Request("POST", "/x", body=b"x" * (32 * MIB)))
        assert exchange.status == 413 or exchange.failure.kind is FailureKind.RESET


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


class TestTheConnectionBehindAnAnswer:
    LINGERING = Request("GET", "/models", lingers=True)

    @pytest.mark.parametrize(
        ("behaviour", "hung_up"),
        [
            (sends(OK), True),
            (resets_after(OK), True),
            (sends_and_stays(OK), False),
            (sends(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")), False),
            (sends(OK.replace(b"1.1", b"1.0")), False),
            (sends(CHUNKED, chunk(b"ok"), chunk(b"")), True),
        ],
        ids=["closed", "reset", "kept", "closed as it was said", "HTTP/1.0", "closed after the last chunk"],
    )
    def test_is_looked_at_where_the_request_asks_for_it(
        self, wire: Wire, behaviour: Behaviour, *, hung_up: bool
    ) -> None:
        exchange = wire.record(behaviour, self.LINGERING)
        assert (exchange.body, exchange.failure, exchange.hung_up) == (b"ok", None, hung_up)

    def test_is_not_looked_at_otherwise(self, wire: Wire) -> None:
        assert wire.record(sends(OK)).hung_up is None

    def test_is_not_recorded_for_an_incomplete_answer(self, wire: Wire) -> None:
        exchange = wire.record(sends(OK[:-1]), self.LINGERING)
        assert exchange.failure is not None
        assert exchange.hung_up is None


def test_the_time_of_sending_is_that_of_the_clock(wire: Wire) -> None:
    before = time()
    exchange = wire.record(sends(OK))
    assert exchange.sent is not None
    assert before - 1 <= exchange.sent <= time() + 1
