"""A transport that sends everything written within one turn of the event loop at once.

The head of an answer, its first event and its end are written separately, and so are events that arrive together. Each
send costs a system call, wakes the reader, and may let the reader run first.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST: Final = 64 * 2**10
"""Bytes that are buffered at most, so that a writer that never waits meets the limits of the transport."""


class Corked(asyncio.Transport):
    """Writes through `transport` at the end of this turn of `loop`; forwards everything else at once."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport, self._loop = transport, loop
        self._kept: list[bytes | bytearray | memoryview] = []
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Buffer the bytes until the turn ends or there are too many."""
        if not data:
            return
        if not self._kept:
            self._loop.call_soon(self._flush)
        self._kept.append(data)
        self._size += len(data)
        if self._size > MOST:
            self._flush()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """As `write`, for each item."""
        for data in list_of_data:
            self.write(data)

    def _flush(self) -> None:
        if self._kept:
            kept, self._kept, self._size = self._kept, [], 0
            self._transport.write(kept[0] if len(kept) == 1 else b"".join(kept))

    def close(self) -> None:
        """Send the buffered bytes, then close."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close without sending the buffered bytes."""
        self._kept, self._size = [], 0
        self._transport.abort()

    def write_eof(self) -> None:
        """Send the buffered bytes, then signal the end of the data."""
        self._flush()
        self._transport.write_eof()

    def can_write_eof(self) -> bool:
        """Whether `write_eof` is supported."""
        return self._transport.can_write_eof()

    def is_closing(self) -> bool:
        """Whether the transport is closed or closing."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as asyncio has it
        """Information about the connection."""
        return self._transport.get_extra_info(name, default)

    def is_reading(self) -> bool:
        """Whether received data is passed to the protocol."""
        return self._transport.is_reading()

    def pause_reading(self) -> None:
        """Stop reading for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Continue reading."""
        self._transport.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Pass received data to another protocol."""
        self._transport.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that gets received data."""
        return self._transport.get_protocol()

    def get_write_buffer_size(self) -> int:
        """The number of bytes that wait to be sent."""
        return self._size + self._transport.get_write_buffer_size()
