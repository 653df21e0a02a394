"""Times passes with and without drafts, and computes the acceptance rate above which drafts save time.

It depends on the processor and its BLAS: with MKL three rows took a sixth longer than one row on one machine and half
as long again on another. There, drafts of which every third token is right cost more than they save.
"""

from __future__ import annotations

from collections import deque
from math import sqrt
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LATEST: Final = 9
"""Number of recent passes of each kind whose median is used."""
ENOUGH: Final = 3
"""Passes of each kind that are timed before their medians are used."""
BEFORE: Final = 1.3
"""Assumed time of a pass with a draft until then, relative to a pass without one."""
MARGIN: Final = 1.05
"""Factor by which the gain of a draft must exceed its cost."""
LEAST: Final = 0.25
MOST: Final = 0.95
"""Bounds of the required acceptance rate: drafts that are nearly always right are tried, and timed, at any cost."""


class Pace:
    """The times of passes over one sequence; `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._times: dict[bool, deque[float]] = {kind: deque(maxlen=LATEST) for kind in (False, True)}
        self._started: tuple[bool, float] | None = None

    def begin(self, *, drafted: bool) -> None:
        """Start the timer of a pass that reads one token of one sequence, and a draft if `drafted`."""
        self._started = drafted, self._clock()

    def end(self) -> None:
        """Record the time since `begin`; do nothing if no timer is running."""
        if self._started is not None:
            drafted, started = self._started
            self._times[drafted].append(self._clock() - started)
            self._started = None

    @property
    def required_acceptance(self) -> float:
        """The acceptance rate from which a draft of two tokens saves time; a token counts only if all before it do."""
        return min(max((sqrt(4 * MARGIN * self._ratio - 3) - 1) / 2, LEAST), MOST)

    @property
    def _ratio(self) -> float:
        plain, drafted = self._times[False], self._times[True]
        if min(len(plain), len(drafted)) < ENOUGH:
            return BEFORE
        return max(1.0, median(drafted) / max(median(plain), 1e-9))
