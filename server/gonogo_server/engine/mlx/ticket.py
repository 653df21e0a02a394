"""An answer on the event loop: where its pieces arrive, and how it is cancelled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.engine.base import Piece

    Result = Piece | Exception


class Ticket:
    """Made on the event loop that waits for the answer.

    What nobody reads waits here, the whole answer at most: `max_tokens` pieces of 0.14 kB each, or of 3.5 kB with the
    20 likeliest tokens (SmolLM2; the caches it takes to generate them have 46 kB a token). The answer of a slow reader
    continues anyway. Taken out of its batch it would lose the token that mlx_lm has drawn ahead, and so what its seed
    promises; its pieces put together would count tokens that follow a stop string.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.cancelled = False
        """A plain flag, as it is written on the loop only and read on the engine's thread only."""
        self._results: asyncio.Queue[Result] = asyncio.Queue()

    async def next_piece(self) -> Piece:
        """The next piece, when it is there. Raises what the generation failed with."""
        result = await self._results.get()
        if isinstance(result, Exception):
            raise result
        return result

    def take(self, result: Result) -> None:
        """On the loop: the next piece, or the failure after which none comes."""
        self._results.put_nowait(result)


class Deliveries:
    """Results on their way from the thread to event loops: one wake-up a loop and step, however many there are."""

    def __init__(self) -> None:
        self._pending: dict[asyncio.AbstractEventLoop, list[tuple[Ticket, Result]]] = {}

    def add(self, ticket: Ticket, result: Result) -> None:
        """Have it delivered with the next `send`."""
        self._pending.setdefault(ticket.loop, []).append((ticket, result))

    def send(self) -> None:
        """Hand over what was added."""
        for loop, results in self._pending.items():
            try:
                loop.call_soon_threadsafe(_deliver, results)
            except RuntimeError:
                # The loop is closed: nobody waits for these answers any more.
                for ticket, _ in results:
                    ticket.cancelled = True
        self._pending = {}


def _deliver(results: Iterable[tuple[Ticket, Result]]) -> None:
    for ticket, result in results:
        ticket.take(result)
