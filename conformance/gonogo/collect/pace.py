"""A rate limit for requests."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonogo.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gonogo.collect.roles import Recorder
    from gonogo.exchange import Exchange, Request

_SECONDS = {"s": 1, "m": 60}


def parse_rate(text: str) -> float:
    """Seconds between two requests, from "2/s", "90/m" or "2" (per second). Raises UsageError for anything else."""
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)(?:/([sm]))?", text.strip())
    number = float(found[1]) if found else 0.0
    if found is None or not number:
        raise UsageError(
            f'--rate-limit "{text}" is not a rate; give requests per second or per minute, such as 2/s '
            "or 90/m."
        )
    return _SECONDS[found[2] or "s"] / number


def _now() -> float:
    return asyncio.get_running_loop().time()


@dataclass
class Paced:
    """A recorder that starts each request at least `interval` seconds after the previous one.

    Requests are spread evenly: no burst makes up for a pause. The wait is before an exchange and in none of its times.
    """

    recorder: Recorder
    interval: float
    now: Callable[[], float] = _now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _next: float = field(default=0.0)

    async def record(self, request: Request, *, id: str, stimulus: str) -> Exchange:  # noqa: A002 - its name
        """Wait until it is time, then record."""
        now = self.now()
        due = max(now, self._next)
        self._next = due + self.interval
        if due > now:
            await self.sleep(due - now)
        return await self.recorder.record(request, id=id, stimulus=stimulus)
