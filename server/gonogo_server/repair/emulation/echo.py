"""Prepends the prompt to the text of a completion if an upstream does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo_server.repair.emulation.base import Unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gonogo_server.repair.base import Document, Noted


class Echo(Unfinished):
    """Prepends its prompt to the text of each choice; each prompt has `each` choices."""

    def __init__(self, prompts: Sequence[str], each: int, rule: str, noted: Noted) -> None:
        self._prompts, self._each, self._rule, self._noted = tuple(prompts), each, rule, noted
        self._begun: set[int] = set()

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk, with the prompt if it is the first one of a choice."""
        choices = chunk.get("choices")
        if not choices or all(choice.get("index", 0) in self._begun for choice in choices):
            return (chunk,)
        return ({**chunk, "choices": [self._first(choice) for choice in choices]},)

    def body(self, body: Document) -> Document:
        """The answer with the prompt before each text."""
        choices = body.get("choices")
        if not isinstance(choices, list):
            return body
        return {**body, "choices": [self._first(choice) for choice in choices]}

    def _first(self, choice: Document) -> Document:
        index = choice.get("index", 0)
        if index in self._begun:
            return choice
        self._begun.add(index)
        self._noted(self._rule)
        prompt = self._prompts[min(index // self._each, len(self._prompts) - 1)]
        return {**choice, "text": prompt + (choice.get("text") or "")}
