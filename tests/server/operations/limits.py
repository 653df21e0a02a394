"""Time limits that a test ends itself, independent of the load of the machine."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FAR = 600.0
"""Seconds of a limit that no test reaches by the clock."""


class Limits:
    """The running limits of FAR seconds; a test says when they expire."""

    def __init__(self) -> None:
        self._known: list[asyncio.Timeout] = []

    def timeout(
        self, begin: Callable[[float | None], asyncio.Timeout], delay: float | None
    ) -> asyncio.Timeout:
        limit = begin(delay)
        if delay == FAR:
            self._known.append(limit)
        return limit

    def expire(self) -> None:
        assert self._known, "no limit was set"
        for limit in self._known:
            limit.reschedule(asyncio.get_running_loop().time())
