"""The recorder's limits of time and size."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from gonogo.collect.recorder import LATER_BODY, MAX_STREAM, SEEN_ENDLESS, Recorder
from gonogo.exchange import FailureKind, Request
from suite.collect.raw_answers import (
    CHUNKED,
    EVENT_STREAM,
    MIB,
    OK,
    chunk,
    sends,
    sends_and_stays,
    sends_forever,
)

if TYPE_CHECKING:
    from tests.suite.collect.conftest import Wire

SOON = 0.3  # seconds: the limit for exchanges that cannot end by themselves


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

    @pytest.mark.parametrize(
        ("head", "most"), [(EVENT_STREAM, MAX_STREAM), (b"HTTP/1.1 200 OK\r\n\r\n", 3 * MAX_STREAM)]
    )
    def test_is_lower_for_streams(self, wire: Wire, head: bytes, most: int) -> None:
        exchange = wire.record(sends_forever(head, bytes(2**16)), max_body=3 * MAX_STREAM)
        assert exchange.failure.message == f"the body is larger than {most} bytes"
        assert len(exchange.body) == most

    @pytest.mark.parametrize(
        ("head", "most"), [(EVENT_STREAM, LATER_BODY), (b"HTTP/1.1 200 OK\r\n\r\n", 8 * LATER_BODY)]
    )
    def test_is_lower_once_several_answers_did_not_end(self, wire: Wire, head: bytes, most: int) -> None:
        async def run() -> list[int]:
            endless = sends_forever(head, bytes(2**16))
            async with wire.serve(endless) as url, Recorder(url, timeout=30, max_body=2 * MIB) as recorder:
                asked = [
                    await recorder.record(Request("GET", "/x"), id=f"x{number}", stimulus="test")
                    for number in range(SEEN_ENDLESS + 1)
                ]
            assert asked[-1].failure is not None
            assert asked[-1].failure.message == f"the body is larger than {most} bytes"
            return [len(exchange.body) for exchange in asked]

        assert asyncio.run(asyncio.wait_for(run(), 30)) == [2 * MIB] * SEEN_ENDLESS + [most]

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


def test_an_answer_is_read_no_further_than_enough(wire: Wire) -> None:
    endless = sends_forever(EVENT_STREAM, b"data: {}\n\n")
    exchange = wire.record(endless, Request("GET", "/x", enough=4096))
    assert (exchange.status, exchange.failure) == (200, None)
    assert 4096 <= len(exchange.body) < MIB


def test_an_answer_that_is_shorter_than_enough_is_read_to_its_end(wire: Wire) -> None:
    exchange = wire.record(sends(OK), Request("GET", "/x", enough=4096))
    assert (exchange.body, exchange.failure) == (b"ok", None)
