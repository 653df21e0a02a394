"""Waits for a busy target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.collect.answers import asked_to_wait

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gonogo.exchange import Exchange

TRIES = 4
FIRST_WAIT = 0.5
"""Seconds to wait after a 503 without Retry-After, doubled each time, as openai-python does."""


async def patiently(
    record: Callable[[], Awaitable[Exchange]], sleep: Callable[[float], Awaitable[None]]
) -> tuple[Exchange, int]:
    """Record, and repeat after the Retry-After of a 429 or 503, or after the wait of the official SDKs.

    Returns the last answer, and the number of waits.
    """
    exchange = await record()
    for tried in range(TRIES - 1):
        wait = asked_to_wait(exchange)
        if wait is None and exchange.status == 503:
            wait = FIRST_WAIT * 2**tried
        if wait is None:
            return exchange, tried
        await sleep(wait)
        exchange = await record()
    return exchange, TRIES - 1
