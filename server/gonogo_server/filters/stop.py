"""Stop strings at the level of text: which part of an answer that arrives in pieces is visible. No I/O.

A stop string may begin in one piece and end in another, so text that may be the beginning of one is held back until
that is certain. The answer ends at the stop string that is complete first, regardless of the pieces; neither it nor
what follows it is visible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class StopFilter:
    """Passes text up to the first of `stops` (each at least one character long); without `stops`, all text."""

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.stopped = False
        """True after the piece that completed a stop string."""
        self.matched: str | None = None
        """The stop string found, if any."""

    @property
    def undecided(self) -> bool:
        """Whether text is held back that may begin a stop string."""
        return bool(self._held)

    def feed(self, text: str) -> str:
        """The text that is certainly visible after `text`; "" after a stop."""
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
        """The text held back, at the end of the text."""
        held, self._held = self._held, ""
        return held

    def _first_stop(self, text: str) -> tuple[int, str] | None:
        """The offset and the text of the stop string that ends first; if two end together, the longer one.

        The first end counts, not the first beginning: a reader of single characters sees that one first, so the result
        does not depend on the pieces.
        """
        found = [(at + len(stop), at, stop) for stop in self._stops if (at := text.find(stop)) >= 0]
        return min(found)[1:] if found else None

    def _undecided_length(self, text: str) -> int:
        """The length of the longest suffix of `text` that begins a stop string."""
        return max((overlap(text, stop) for stop in self._stops), default=0)


def overlap(text: str, stop: str) -> int:
    """The length of the longest suffix of `text` that is a proper prefix of `stop`, in characters."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
