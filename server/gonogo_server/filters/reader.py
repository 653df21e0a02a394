"""All filters combined: visible content, tool calls, and reasoning of a generated text. No I/O.

Stop strings apply to the content only. They never cut the arguments of a call. They never cut the reasoning either,
because it repeats words of the question and would end before there is any answer (vllm-project/vllm PR#14550).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo_server.filters.calls import Content
from gonogo_server.filters.reasoning import ReasoningText
from gonogo_server.filters.stop import StopFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.filters.calls import Arguments, Call, Event, ToolFilter
    from gonogo_server.filters.reasoning import Part, ReasoningFilter


@dataclass(frozen=True, slots=True)
class Shown:
    """Visible text, after `skipped` characters of generated text that are not visible; never empty."""

    text: str
    skipped: int = 0


class Reader:
    """Reads one answer, which ends at the first of `stops` or after the last call that `tools` allows."""

    def __init__(
        self,
        stops: Sequence[str] = (),
        tools: ToolFilter | None = None,
        reasoning: ReasoningFilter | None = None,
    ) -> None:
        self._reasoning = reasoning
        self._stops = StopFilter(stops)
        self._tools = tools
        self._shown = 0  # offset in the generated text up to which everything was shown or skipped
        self._skipped = 0
        self._answers = False

    @property
    def stopped(self) -> bool:
        """True once the answer has ended."""
        return self._stops.stopped or (self._tools is not None and self._tools.closed)

    @property
    def matched(self) -> str | None:
        """The stop string that ended the answer; None if none did."""
        return self._stops.matched

    @property
    def cut(self) -> bool:
        """Whether generated text follows the last visible character."""
        return (
            self._stops.stopped
            or self.calls > 0
            or (self._reasoning is not None and self._reasoning.unanswered)
        )

    @property
    def reasoning(self) -> bool:
        """Whether the next text belongs to the reasoning."""
        return self._reasoning is not None and self._reasoning.reasoning

    @property
    def calls(self) -> int:
        """The number of calls so far."""
        return self._tools.calls if self._tools else 0

    def feed(self, text: str) -> list[Shown | ReasoningText | Call | Arguments]:
        """The parts that are certain after `text`."""
        return self._part(self._reasoning.feed(text)) if self._reasoning else self._answer(text)

    def flush(self, *, cut: bool = False) -> list[Shown | ReasoningText | Call | Arguments]:
        """The text held back, at the end of the text; `cut`: a limit ended it."""
        reasoning = self._part(self._reasoning.flush(cut=cut)) if self._reasoning else []
        held = self._read(self._tools.flush()) if self._tools else []
        return reasoning + held + self._show(self._stops.flush())

    def _part(self, parts: Sequence[Part]) -> list[Shown | ReasoningText | Call | Arguments]:
        read: list[Shown | ReasoningText | Call | Arguments] = []
        for part in parts:
            if isinstance(part, ReasoningText):
                read.append(part)
                continue
            if not self._answers:
                self._skipped, self._answers = part.at, True
            read += self._answer(part.text)
        return read

    def _answer(self, text: str) -> list[Shown | ReasoningText | Call | Arguments]:
        if self._tools is None:
            return self._show(self._stops.feed(text))
        return self._read(self._tools.feed(text))

    def _read(self, events: Sequence[Event]) -> list[Shown | ReasoningText | Call | Arguments]:
        read: list[Shown | ReasoningText | Call | Arguments] = []
        for event in events:
            if self._stops.stopped:
                break
            if isinstance(event, Content):
                if not self._stops.undecided:
                    self._skipped, self._shown = self._skipped + event.at - self._shown, event.at
                read += self._show(self._stops.feed(event.text))
            else:
                read += [*self._show(self._stops.flush()), event]
        return read

    def _show(self, text: str) -> list[Shown | ReasoningText | Call | Arguments]:
        if not text:
            return []
        shown = Shown(text, self._skipped)
        self._shown += len(text)
        self._skipped = 0
        return [shown]
