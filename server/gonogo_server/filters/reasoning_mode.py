"""The reasoning mode of an answer, and the Lark rules that allow reasoning under a grammar. No I/O."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gonogo_server.filters.reasoning import ReasoningFilter

if TYPE_CHECKING:
    from gonogo_server.engine.base import Effort, ReasoningStyle


@dataclass(frozen=True, slots=True)
class ReasoningMode:
    """The model's style of reasoning, and the effort that a request asks for (None: the model's default).

    `opened`: the prompt ends inside the reasoning. `budget`: the maximum number of its tokens, including the markers
    (None: as many as the answer).
    """

    style: ReasoningStyle
    effort: Effort | None = None
    opened: bool = False
    budget: int | None = None

    @property
    def wanted(self) -> bool:
        """False if the request disables reasoning."""
        return self.effort != "none"

    def filter(self) -> ReasoningFilter:
        """The filter that separates the reasoning of one answer, whether wanted or not."""
        return ReasoningFilter(self.style.start, self.style.end, opened=self.opened)

    def spelled(self) -> ReasoningMode:
        """The same mode with markers as text."""
        return replace(self, style=replace(self.style, start_tokens=(), end_tokens=()))


def start_rule(mode: ReasoningMode | None) -> str:
    """The rule `start`: any reasoning, then the rule `said`."""
    if mode is None or not (mode.wanted or mode.opened):
        return "start: said"
    start = marker(mode.style.start, *mode.style.start_tokens)
    end = marker(mode.style.end, *mode.style.end_tokens)
    # A marker that is text ends the reasoning where it first occurs; a special token cannot occur in text.
    lazy = "" if mode.style.end_tokens else "[lazy]"
    alternatives = "reasons GAP said" if mode.opened else f"said | {start} reasons GAP said"
    return "\n".join(
        [
            f"start: {alternatives}",
            f"reasons{lazy}: REASONING {end}",
            r"REASONING: /(.|\n)*/",
            r"GAP: /[ \n]{0,4}/",
        ]
    )


def marker(text: str, *tokens: int | None) -> str:
    """A marker in Lark: special tokens by id, or text; "" for an empty text."""
    if tokens and None not in tokens:
        return " ".join(f"<[{token}]>" for token in tokens)
    return json.dumps(text, ensure_ascii=False) if text else ""
