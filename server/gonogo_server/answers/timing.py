"""Records when tokens arrive, for the log and the metrics. No I/O except a clock."""

from __future__ import annotations

from contextlib import aclosing
from time import perf_counter
from typing import TYPE_CHECKING

from gonogo_server.exchange import current

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gonogo_server.engine.base import Piece


async def timed(pieces: AsyncGenerator[Piece, None]) -> AsyncGenerator[Piece, None]:
    """The same pieces, with their tokens and times recorded; closing the generator closes `pieces`.

    Sets `completion_tokens`, `cached_tokens` and `first_token_seconds`; counts as waiting until the first piece.
    """
    exchange = current()
    exchange.traffic.waiting += 1
    before: float | None = None
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                now = perf_counter()
                if before is None:
                    exchange.traffic.waiting -= 1
                    exchange.cached_tokens += piece.cached
                    if exchange.first_token_seconds is None:
                        exchange.first_token_seconds = now - exchange.begun
                else:
                    exchange.gap(now - before)
                before = now
                exchange.completion_tokens += piece.tokens
                yield piece
    finally:
        if before is None:
            exchange.traffic.waiting -= 1
