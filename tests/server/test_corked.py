"""Writes of one turn of the event loop are sent together; nothing is lost or delayed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from gonogo_server.connection.corked import MOST, Corked

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


class Sent(asyncio.Transport):
    """Records its calls, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[bytes | str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.done.append(bytes(data))

    def write_eof(self) -> None:
        self.done.append("eof")

    def close(self) -> None:
        self.done.append("close")

    def abort(self) -> None:
        self.done.append("abort")


def corked() -> tuple[Corked, list[bytes | str]]:
    sent = Sent()
    return Corked(sent, asyncio.get_running_loop()), sent.done


async def test_writes_of_one_loop_iteration_are_sent_together_in_the_next() -> None:
    transport, done = corked()
    transport.write(b"head ")
    transport.write(b"")
    transport.writelines([b"event ", b"end"])
    assert done == []

    await asyncio.sleep(0)
    transport.write(b"more")
    await asyncio.sleep(0)

    assert done == [b"head event end", b"more"]


async def test_a_writer_that_never_waits_is_not_kept_from_the_limits_of_the_transport() -> None:
    transport, done = corked()
    transport.write(b"x" * MOST)
    assert done == []
    transport.write(b"y")
    assert done == [b"x" * MOST + b"y"]


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (Corked.close, [b"last", "close"]),
        (Corked.write_eof, [b"last", "eof"]),
        (Corked.abort, ["abort"]),
    ],
    ids=["close", "write_eof", "abort"],
)
async def test_buffered_bytes_are_sent_before_a_close_but_not_before_an_abort(
    end: Callable[[Corked], None], expected: list[bytes | str]
) -> None:
    transport, done = corked()
    transport.write(b"last")
    end(transport)
    await asyncio.sleep(0)
    assert done == expected
