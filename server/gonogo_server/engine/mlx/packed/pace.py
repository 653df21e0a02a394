"""Measures passes with and without drafts, and the acceptance rate from which drafts pay.

That depends on the processor and its BLAS: with MKL three rows took a sixth longer than one on one machine and half
as long again on another, where guesses of which every third is right cost more than they save.
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
"""Passes of either kind whose median counts."""
ENOUGH: Final = 3
"""Passes of either kind before their times are believed, ..."""
BEFORE: Final = 1.3
"""... and until then the time of a pass with a guess, in passes without."""
MARGIN: Final = 1.05
"""How much more a guess must bring than it costs."""
LEAST: Final = 0.25
MOST: Final = 0.95
"""What is asked of guesses whatever they cost: so those that are nearly always right are tried, and timed, again."""


class Pace:
    """The times of passes of one sequence; `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._times: dict[bool, deque[float]] = {kind: deque(maxlen=LATEST) for kind in (False, True)}
        self._begun: tuple[bool, float] | None = None

    def begin(self, *, guessed: bool) -> None:
        """A pass begins that reads a token of one sequence, with a guess or without."""
        self._begun = guessed, self._clock()

    def end(self) -> None:
        """What began has ended; nothing if nothing was to be timed."""
        if self._begun is not None:
            guessed, begun = self._begun
            self._times[guessed].append(self._clock() - begun)
            self._begun = None

    @property
    def least(self) -> float:
        """The share of right tokens from which a guess of two pays: each is of use where all before it are right."""
        return min(max((sqrt(4 * MARGIN * self._ratio - 3) - 1) / 2, LEAST), MOST)

    @property
    def _ratio(self) -> float:
        plain, guessed = self._times[False], self._times[True]
        if min(len(plain), len(guessed)) < ENOUGH:
            return BEFORE
        return max(1.0, median(guessed) / max(median(plain), 1e-9))
