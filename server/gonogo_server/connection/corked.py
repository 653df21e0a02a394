"""A transport that sends everything written within one turn of the event loop at once.

The head of an answer, its first event and what ends it are written one by one, and so are events that came together.
Each send costs a call of the system, wakes whoever reads, and may have it run first.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST: Final = 64 * 2**10
"""Bytes that are kept at most: a writer that never waits is to meet the limits of the transport."""


class Corked(asyncio.Transport):
    """Writes through `transport` when this turn of `loop` is over; everything else it does at once."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport, self._loop = transport, loop
        self._kept: list[bytes | bytearray | memoryview] = []
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep the bytes until the turn is over, or there are too many."""
        if not data:
            return
        if not self._kept:
            self._loop.call_soon(self._flush)
        self._kept.append(data)
        self._size += len(data)
        if self._size > MOST:
            self._flush()

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        """As `write`."""
        for data in list_of_data:
            self.write(data)

    def _flush(self) -> None:
        if self._kept:
            kept, self._kept, self._size = self._kept, [], 0
            self._transport.write(kept[0] if len(kept) == 1 else b"".join(kept))

    def close(self) -> None:
        """Send what was written, and close."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close, and send nothing more."""
        self._kept, self._size = [], 0
        self._transport.abort()

    def write_eof(self) -> None:
        """Send what was written, and say that nothing follows."""
        self._flush()
        self._transport.write_eof()

    def can_write_eof(self) -> bool:
        """Whether `write_eof` is possible."""
        return self._transport.can_write_eof()

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as asyncio has it
        """What is known of the connection."""
        return self._transport.get_extra_info(name, default)

    def is_reading(self) -> bool:
        """Whether it hands on what comes."""
        return self._transport.is_reading()

    def pause_reading(self) -> None:
        """Read no more for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._transport.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand what comes to another protocol."""
        self._transport.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who gets what comes."""
        return self._transport.get_protocol()

    def get_write_buffer_size(self) -> int:
        """Bytes that wait to be sent."""
        return self._size + self._transport.get_write_buffer_size()
