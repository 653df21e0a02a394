"""Detects how a model reasons, from its vocabulary and its chat template. It does not use mlx.

It renders the template with a short conversation, because templates do not declare their variables.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from jinja2 import TemplateError

from gonogo_server.engine.base import EFFORTS, ReasoningStyle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gonogo_server.engine.base import Effort

    Settings = Mapping[str, object]
    Render = Callable[[Settings], str | None]

SWITCHES: Final = ("enable_thinking", "thinking")
"""Template variables that switch reasoning on or off: that of Qwen and most others, then of DeepSeek and Granite."""

LEVEL: Final = "reasoning_effort"
USUAL: Final = frozenset({"low", "medium", "high"})
"""Levels that every template with levels knows; others have to occur in its text."""

TAIL: Final = 16
"""Number of tokens at the end of a prompt that are searched for the start marker."""

PROBE: Final = ({"role": "user", "content": "Hi"},)


class Reasoning:
    """The reasoning that `tokenizer`, an `mlx_lm` TokenizerWrapper, supports."""

    def __init__(self, tokenizer: Any) -> None:  # noqa: ANN401 - mlx_lm has no types
        self._tokenizer = tokenizer
        # Some families have more than a pair of markers, which mlx_lm follows with a state machine; these are not
        # supported.
        self._marked = tokenizer.has_thinking and not (
            tokenizer.structural_markers or tokenizer.response_transitions
        )

    @cached_property
    def shown(self) -> dict[int, str]:
        """The texts of the markers' special tokens, by id."""
        if not self._marked:
            return {}
        added = self._tokenizer.added_tokens_decoder
        marks = (*self._tokenizer.think_start_tokens, *self._tokenizer.think_end_tokens)
        return {token: added[token].content for token in marks if token in added and added[token].special}

    @cached_property
    def settings(self) -> Mapping[Effort, Settings]:
        """The template variables for each effort that the template supports."""
        return efforts(self._prompt, self._source)

    def style(self, unspelled: Callable[[int], bool]) -> ReasoningStyle | None:
        """The reasoning style; None if the template does not mention the markers.

        Models that were not trained to reason may share the vocabulary, but their templates do not mention the markers.
        `unspelled` says whether a grammar cannot spell a token.
        """
        start, end = self._tokenizer.think_start, self._tokenizer.think_end
        if not (self._marked and self._tokenizer.has_chat_template):
            return None
        if self._source and start not in self._source and end not in self._source:
            return None

        def tokens(mark: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(mark) if any(map(unspelled, mark)) else ()

        return ReasoningStyle(
            start,
            end,
            frozenset(self.settings),
            tokens(self._tokenizer.think_start_tokens),
            tokens(self._tokenizer.think_end_tokens),
        )

    def opened_by(self, prompt: Sequence[int]) -> bool:
        """Whether a prompt of the template ends with the start marker, ignoring trailing whitespace."""
        end: str = self._tokenizer.decode(list(prompt[-TAIL:]))
        return end.rstrip().endswith(self._tokenizer.think_start)

    @property
    def _source(self) -> str:
        """The text of the template, or of all templates; "" if the template is Python code."""
        template = self._tokenizer.chat_template
        return "".join(template.values()) if isinstance(template, dict) else template or ""

    def _prompt(self, settings: Settings) -> str | None:
        try:
            prompt: str = self._tokenizer.apply_chat_template(
                list(PROBE), add_generation_prompt=True, tokenize=False, **settings
            )
        except (TemplateError, ValueError, TypeError):
            return None
        return prompt


def efforts(render: Render, source: str) -> Mapping[Effort, Settings]:
    """The template variables for each effort that the template supports; `source` is its text, "" if it has none.

    `render` returns a prompt for given variables, None if the template refuses them. A template with levels supports
    those that it knows. A template with only a switch is off for "none" and for "minimal" ("few or no reasoning
    tokens", OpenAI guide, "Using GPT-5"), and on for all others.
    """
    switch = next((name for name in SWITCHES if _matters(render, name, (True, False))), None)
    on, off = ({switch: True}, {switch: False}) if switch else ({}, None)
    levels = _levels(render, source, on)
    kept: dict[Effort, Settings] = {}
    for effort in EFFORTS:
        if effort in levels and not (effort == "none" and off):
            kept[effort] = {**on, LEVEL: effort}
        elif off and effort in ("none", "minimal"):
            kept[effort] = off
        elif off and not levels:
            kept[effort] = on
    return kept


def _levels(render: Render, source: str, on: Settings) -> frozenset[Effort]:
    def prompt(effort: Effort) -> str | None:
        return render({**on, LEVEL: effort})

    known = [name for name in EFFORTS if name in USUAL or f"'{name}'" in source or f'"{name}"' in source]
    taken = {name: made for name in known if (made := prompt(name)) is not None}
    return frozenset(taken) if len(set(taken.values())) > 1 else frozenset()


def _matters(render: Render, name: str, values: tuple[object, object]) -> bool:
    one, other = (render({name: value}) for value in values)
    return None not in (one, other) and one != other
