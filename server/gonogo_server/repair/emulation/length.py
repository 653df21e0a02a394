"""Corrects a finish reason "stop" to "length" if the token count shows that the limit was reached.

Source: CreateChatCompletionResponse.choices.finish_reason, "if the maximum number of tokens specified in the request
was reached".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.repair.emulation.base import Unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document, Noted

UNLIMITED: Final = 16
"""The token limit of a completion whose request sets none."""


class Length(Unfinished):
    """Sets "length" in a whole answer with one choice that used `limit` tokens."""

    def __init__(self, limit: int, rule: str, noted: Noted) -> None:
        self._limit, self._rule, self._noted = limit, rule, noted

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk, unchanged: with this emulation, streams are made from whole answers."""
        return (chunk,)

    def body(self, body: Document) -> Document:
        """The answer with the finish reason that its token count shows."""
        choices, usage = body.get("choices"), body.get("usage")
        if not isinstance(usage, dict) or not isinstance(choices, list) or len(choices) != 1:
            return body
        tokens = usage.get("completion_tokens")
        if choices[0].get("finish_reason") != "stop" or not isinstance(tokens, int) or tokens < self._limit:
            return body
        self._noted(self._rule)
        return {**body, "choices": [{**choices[0], "finish_reason": "length"}]}
