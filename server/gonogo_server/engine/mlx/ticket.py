"""The event loop's side of an answer: a queue of its pieces, and a flag that cancels it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.engine.base import Piece

    Result = Piece | Exception


class Ticket:
    """The queue of one answer, created on the event loop that waits for it.

    Unread pieces stay in the queue, at most the whole answer: `max_tokens` pieces of 0.14 kB each, or of 3.5 kB with 20
    alternatives per token (SmolLM2; its caches take 46 kB per token). The answer continues even if its reader is slow.
    Pausing it would lose the token that mlx_lm has sampled ahead, so that its seed would no longer reproduce it;
    merging its pieces would count tokens after a stop string.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.cancelled = False
        """A plain flag, because only the loop writes it and only the engine's thread reads it."""
        self._results: asyncio.Queue[Result] = asyncio.Queue()

    async def next_piece(self) -> Piece:
        """Wait for the next piece. Raises the exception that the generation failed with."""
        result = await self._results.get()
        if isinstance(result, Exception):
            raise result
        return result

    def take(self, result: Result) -> None:
        """Queue the next piece, or the exception that ends the answer. Call it on the loop."""
        self._results.put_nowait(result)


class Deliveries:
    """Collects the results of a step and hands them to their event loops, with one wake-up per loop."""

    def __init__(self) -> None:
        self._pending: dict[asyncio.AbstractEventLoop, list[tuple[Ticket, Result]]] = {}

    def add(self, ticket: Ticket, result: Result) -> None:
        """Add a result to the next `send`."""
        self._pending.setdefault(ticket.loop, []).append((ticket, result))

    def send(self) -> None:
        """Hand the collected results to their loops."""
        for loop, results in self._pending.items():
            try:
                loop.call_soon_threadsafe(_deliver, results)
            except RuntimeError:
                # The loop is closed, so nothing waits for these answers.
                for ticket, _ in results:
                    ticket.cancelled = True
        self._pending = {}


def _deliver(results: Iterable[tuple[Ticket, Result]]) -> None:
    for ticket, result in results:
        ticket.take(result)
