"""The alternatives of each token of a chat: the requested number, sorted by probability."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gonogo_server.repair.emulation.base import Unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document, Noted


class Alternatives(Unfinished):
    """Keeps `most` alternatives per token."""

    def __init__(self, most: int, rule: str, noted: Noted) -> None:
        self._most, self._rule, self._noted = most, rule, noted

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk with at most the requested number of alternatives."""
        return (self.body(chunk),)

    def body(self, body: Document) -> Document:
        """The answer with at most the requested number of alternatives."""
        choices = body.get("choices")
        if not isinstance(choices, list):
            return body
        edited = [self._choice(choice) for choice in choices]
        if all(one is other for one, other in zip(edited, choices, strict=True)):
            return body
        self._noted(self._rule)
        return {**body, "choices": edited}

    def _choice(self, choice: Document) -> Document:
        held = choice.get("logprobs")
        tokens = held.get("content") if isinstance(held, dict) else None
        if not isinstance(held, dict) or not isinstance(tokens, list):
            return choice
        edited = [self._token(token) for token in tokens]
        if edited == tokens:
            return choice
        return {**choice, "logprobs": {**held, "content": edited}}

    def _token(self, token: Any) -> Any:  # noqa: ANN401 - JSON
        tops = token.get("top_logprobs") if isinstance(token, dict) else None
        if not isinstance(tops, list):
            return token
        ordered = sorted(tops, key=_order)
        return {**token, "top_logprobs": ordered[: self._most]}


def _order(top: Document) -> float:
    """The sort key: the likeliest first, alternatives without a number last."""
    value = top.get("logprob")
    return -value if isinstance(value, int | float) else math.inf
