"""Stop strings at the level of text: what may be shown of an answer that arrives in pieces. No I/O.

A stop string may begin in one piece and end in another, so text that could still turn out to be the beginning
of one is held back until it is decided. The answer ends at the stop string that is complete first, however
the text was cut into pieces; neither it nor what follows it is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class StopFilter:
    """Lets text through up to the first of `stops` (each at least one character; none at all: everything)."""

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.stopped = False
        """True from the piece on that completed a stop string."""
        self.matched: str | None = None
        """That stop string."""

    @property
    def holding(self) -> bool:
        """Whether text is held back that may begin a stop string."""
        return bool(self._held)

    def feed(self, text: str) -> str:
        """What can be shown now that `text` has arrived; nothing at all after a stop."""
        if not self._stops:
            return text
        if self.stopped:
            return ""
        seen = self._held + text
        if (found := self._first_stop(seen)) is not None:
            cut, self.matched = found
            self.stopped, self._held = True, ""
            return seen[:cut]
        undecided = len(seen) - self._undecided_length(seen)
        self._held = seen[undecided:]
        return seen[:undecided]

    def flush(self) -> str:
        """What was held back, once it is known that no more text comes."""
        held, self._held = self._held, ""
        return held

    def _first_stop(self, text: str) -> tuple[int, str] | None:
        """Where the stop string begins that ends first, and which it is; of two that end together, the longer one.

        First by its end, not by its beginning: that is the one a reader of single characters sees first, so
        the outcome does not depend on the pieces.
        """
        found = [(at + len(stop), at, stop) for stop in self._stops if (at := text.find(stop)) >= 0]
        return min(found)[1:] if found else None

    def _undecided_length(self, text: str) -> int:
        """The length of the longest end of `text` that begins a stop string."""
        return max((overlap(text, stop) for stop in self._stops), default=0)


def overlap(text: str, stop: str) -> int:
    """The length of the longest end of `text` that begins `stop` without completing it, in characters."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
