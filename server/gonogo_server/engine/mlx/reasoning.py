"""How a model reasons, by its vocabulary and its chat template. Nothing here touches mlx.

The template is tried out with a short conversation, as templates do not say what they take.
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
"""The names by which templates let reasoning be switched: Qwen's and most others', then DeepSeek's and Granite's."""

LEVEL: Final = "reasoning_effort"
USUAL: Final = frozenset({"low", "medium", "high"})
"""Levels that every template knows that has any; of others it has to say so."""


TAIL: Final = 16
"""Tokens at the end of a prompt among which the start marker is, if it opens the reasoning."""

PROBE: Final = ({"role": "user", "content": "Hi"},)


class Reasoning:
    """What `tokenizer`, an `mlx_lm` TokenizerWrapper, knows of it."""

    def __init__(self, tokenizer: Any) -> None:  # noqa: ANN401 - mlx_lm has no types
        self._tokenizer = tokenizer
        # Some families have more than a pair of markers, which mlx_lm follows from state to state; they are left as
        # they are.
        self._marked = tokenizer.has_thinking and not (
            tokenizer.structural_markers or tokenizer.response_transitions
        )

    @cached_property
    def shown(self) -> dict[int, str]:
        """The special tokens of the markers, by id, with the text that they stand for."""
        if not self._marked:
            return {}
        added = self._tokenizer.added_tokens_decoder
        marks = (*self._tokenizer.think_start_tokens, *self._tokenizer.think_end_tokens)
        return {token: added[token].content for token in marks if token in added and added[token].special}

    @cached_property
    def settings(self) -> Mapping[Effort, Settings]:
        """What the template is given for each effort that it can keep."""
        return efforts(self._prompt, self._source)

    def style(self, unspelled: Callable[[int], bool]) -> ReasoningStyle | None:
        """The style of a model whose template has to do with the markers; `unspelled` tokens are none for a grammar.

        Vocabularies are shared with models that were not trained to reason, whose templates say nothing about it.
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
        """Whether a prompt of the template ends with the start marker, but for blanks."""
        end: str = self._tokenizer.decode(list(prompt[-TAIL:]))
        return end.rstrip().endswith(self._tokenizer.think_start)

    @property
    def _source(self) -> str:
        """The text of the template, or of all if there are several; "" if it is a program."""
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
    """What a template has to be given for each effort that it can keep; `source` is its text, "" if it has none.

    `render` gives a prompt with these settings, None if the template refuses them. A template that has levels gets
    those that it knows. One that can only be switched is off for "none" and for "minimal" ("few or no reasoning
    tokens", OpenAI guide, "Using GPT-5"), and on for every other.
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
