"""Chooses the server of an upstream: fewest open requests, no recent failure. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

FIRST_BACK_OFF: Final = 1.0
LONGEST_BACK_OFF: Final = 30.0


@dataclass(slots=True)
class Target:
    """One server, by its base URL."""

    url: str
    open: int = 0
    """The number of open requests."""
    failures: int = 0
    """The number of consecutive failures."""
    until: float = 0.0
    """The time of the next attempt, on the clock of `Targets`."""

    def failed(self, now: float) -> None:
        """Avoid it for one second; each consecutive failure doubles the time."""
        self.until = now + min(FIRST_BACK_OFF * 2**self.failures, LONGEST_BACK_OFF)
        self.failures += 1

    def answered(self) -> None:
        """Record a success."""
        self.failures, self.until = 0, 0.0


class Targets:
    """The servers of an upstream, at least one; `clock` returns seconds."""

    def __init__(self, urls: Sequence[str], clock: Callable[[], float]) -> None:
        self._targets = [Target(url) for url in urls]
        self._clock = clock

    def __len__(self) -> int:
        return len(self._targets)

    def next(self, tried: Collection[str] = ()) -> Target:
        """The server for the next attempt, if possible none of `tried`; an avoided one only if there is no other."""
        now = self._clock()
        return min(
            self._targets, key=lambda each: (each.url in tried, each.until > now, each.open, each.until)
        )

    def failed(self, target: Target) -> None:
        """Record a failure."""
        target.failed(self._clock())
