"""What of a generated text is shown, and what is a call: stop strings and tools together. No I/O.

Stop strings are looked for in the content only; the arguments of a call are never cut by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo_server.answers.stop import StopFilter
from gonogo_server.tools.filter import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.tools.filter import Arguments, Call, Event, ToolFilter


@dataclass(frozen=True, slots=True)
class Shown:
    """Text that is shown, after `skipped` characters of the generated text that are not; never empty."""

    text: str
    skipped: int = 0


class Reader:
    """Reads one answer, which ends at the first of `stops`, or after the last call that `tools` allow."""

    def __init__(self, stops: Sequence[str] = (), tools: ToolFilter | None = None) -> None:
        self._stops = StopFilter(stops)
        self._tools = tools
        self._shown = 0  # the place in the generated text up to which everything was shown or skipped
        self._skipped = 0

    @property
    def stopped(self) -> bool:
        """True once nothing more may come."""
        return self._stops.stopped or (self._tools is not None and self._tools.closed)

    @property
    def cut(self) -> bool:
        """Whether the answer ends otherwise than with the last character that is shown."""
        return self._stops.stopped or self.calls > 0

    @property
    def calls(self) -> int:
        """The calls so far."""
        return self._tools.calls if self._tools else 0

    def feed(self, text: str) -> list[Shown | Call | Arguments]:
        """What is known now that `text` has been generated."""
        if self._tools is None:
            return self._show(self._stops.feed(text))
        return self._read(self._tools.feed(text))

    def flush(self) -> list[Shown | Call | Arguments]:
        """What was held back, once it is known that no more text comes."""
        held = self._read(self._tools.flush()) if self._tools else []
        return held + self._show(self._stops.flush())

    def _read(self, events: Sequence[Event]) -> list[Shown | Call | Arguments]:
        read: list[Shown | Call | Arguments] = []
        for event in events:
            if self._stops.stopped:
                break
            if isinstance(event, Content):
                if not self._stops.holding:
                    self._skipped, self._shown = self._skipped + event.at - self._shown, event.at
                read += self._show(self._stops.feed(event.text))
            else:
                read += [*self._show(self._stops.flush()), event]
        return read

    def _show(self, text: str) -> list[Shown | Call | Arguments]:
        if not text:
            return []
        shown = Shown(text, self._skipped)
        self._shown += len(text)
        self._skipped = 0
        return [shown]
