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
    """The model's way of reasoning, and the effort that a request asks for (None: the model's default).

    `opened` is whether the prompt ends amid the reasoning; `budget` is how many tokens it may have, its markers
    included (None: as many as the answer).
    """

    style: ReasoningStyle
    effort: Effort | None = None
    opened: bool = False
    budget: int | None = None

    @property
    def wanted(self) -> bool:
        """False if the request asks for none."""
        return self.effort != "none"

    def filter(self) -> ReasoningFilter:
        """What takes the reasoning out of one answer, wanted or not."""
        return ReasoningFilter(self.style.start, self.style.end, opened=self.opened)

    def spelled(self) -> ReasoningMode:
        """The same with markers that are text."""
        return replace(self, style=replace(self.style, start_tokens=(), end_tokens=()))


def start_rule(mode: ReasoningMode | None) -> str:
    """The rule `start` of an answer that is what the rule `said` admits, after any reasoning."""
    if mode is None or not (mode.wanted or mode.opened):
        return "start: said"
    start = marker(mode.style.start, *mode.style.start_tokens)
    end = marker(mode.style.end, *mode.style.end_tokens)
    # What ends at a text ends at the first of them; a special token is not text in the first place.
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
    """A marker as grammars name it; special tokens go by number, and no text at all is nothing."""
    if tokens and None not in tokens:
        return " ".join(f"<[{token}]>" for token in tokens)
    return json.dumps(text, ensure_ascii=False) if text else ""
