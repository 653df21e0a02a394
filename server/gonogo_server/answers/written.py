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
    """What a stream says beside its events."""

    def waiting(self) -> bytes:
        """Said while there is not an event yet, each time again."""

    def end(self) -> bytes:
        """Said after the last event."""

    def failure(self, error: BaseException) -> bytes:
        """Said in place of the events that an error cuts off; nothing comes after it."""


class ChunkFraming:
    """That of chat completions and completions."""

    def waiting(self) -> bytes:
        """A comment."""
        return sse.WAITING

    def end(self) -> bytes:
        """The `[DONE]`."""
        return sse.DONE

    def failure(self, error: BaseException) -> bytes:
        """The error envelope; a `[DONE]` would be a lie."""
        return sse.event(envelope(error))


CHUNKS: Final = ChunkFraming()


@dataclass(frozen=True, slots=True)
class Events:
    """A stream: the events that come first, which may take a while yet, and the rest.

    Events are whole, in the framing of server-sent events, without what `framing` adds; what breaks them off is raised.
    Whoever has them calls `aclose`, also without having begun.
    """

    first: asyncio.Future[bytes]
    rest: AsyncGenerator[bytes, None]
    patience: float | None = None
    """Seconds after which a stream that has no event yet says that it waits; None: it says nothing."""
    framing: Framing = CHUNKS

    async def look(self, seconds: float | None) -> None:
        """Wait until the first events are there, or for so many seconds."""
        await asyncio.wait((self.first,), timeout=seconds)

    async def aclose(self) -> None:
        """Stop what makes the events."""
        if not self.first.done():
            self.first.cancel()
            await asyncio.wait((self.first,))
        if not self.first.cancelled():
            self.first.exception()  # which nobody is to be told of
        await self.rest.aclose()


Answer: TypeAlias = Body | Events


async def begun(
    events: AsyncGenerator[bytes, None], patience: float | None = None, framing: Framing = CHUNKS
) -> Events:
    """The events, once the first are there, or `patience` seconds (None: however long it takes) are over.

    What fails before that is raised, so that it gets a status of its own.
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
