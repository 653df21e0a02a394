"""Serialized answers, whatever their source: one body, or events while they arrive."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from gonogo_server import sse
from gonogo_server.envelope import envelope

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@dataclass(frozen=True, slots=True)
class Body:
    """A whole answer, as JSON."""

    content: str | bytes


class Framing(Protocol):
    """What a stream contains besides its events."""

    def waiting(self) -> bytes:
        """Sent repeatedly until the first event."""

    def end(self) -> bytes:
        """Sent after the last event."""

    def failure(self, error: BaseException) -> bytes:
        """Sent instead of the events that an error cuts off; nothing follows it."""


class ChunkFraming:
    """The framing of chat completions and completions."""

    def waiting(self) -> bytes:
        """A comment."""
        return sse.WAITING

    def end(self) -> bytes:
        """The `[DONE]`."""
        return sse.DONE

    def failure(self, error: BaseException) -> bytes:
        """The error envelope, without `[DONE]`: the answer is not complete."""
        return sse.event(envelope(error))


CHUNKS: Final = ChunkFraming()


@dataclass(frozen=True, slots=True)
class Events:
    """A stream: its first events, which may not be there yet, and the rest.

    Events are complete server-sent events, without what `framing` adds; an error that ends them is raised. The owner
    must call `aclose`, even if it has not started to read.
    """

    first: asyncio.Future[bytes]
    rest: AsyncGenerator[bytes, None]
    patience: float | None = None
    """Seconds after which a stream without an event sends `framing.waiting()`; None: never."""
    framing: Framing = CHUNKS

    async def look(self, seconds: float | None) -> None:
        """Wait for the first events, but no longer than `seconds`."""
        await asyncio.wait((self.first,), timeout=seconds)

    async def aclose(self) -> None:
        """Stop the generation of the events."""
        if not self.first.done():
            self.first.cancel()
            await asyncio.wait((self.first,))
        if not self.first.cancelled():
            self.first.exception()  # retrieved, so that asyncio does not log it
        await self.rest.aclose()


Answer: TypeAlias = Body | Events


async def begun(
    events: AsyncGenerator[bytes, None], patience: float | None = None, framing: Framing = CHUNKS
) -> Events:
    """Start the stream: return once the first events are there, or after `patience` seconds (None: no limit).

    An error before that is raised, so that it gets its own status.
    """
    made = Events(asyncio.ensure_future(anext(events, b"")), events, patience, framing)
    try:
        await made.look(patience)
        if made.first.done():
            made.first.result()
    except BaseException:
        await made.aclose()
        raise
    return made
