"""How the scripted engine keeps to a grammar: which token it chooses where its script does not fit.

Of the tokens that the grammar allows: the scripted one; else the end; else what closes or separates JSON, first of
all a quotation mark amid a string, elsewhere a bracket; else one of the words of calls; else the printable
characters in turn, so that the answer gets anywhere that the grammar leads to, and in the end to its end.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper

from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

CLOSING: Final = b'}]":,'
CLOSING_STRING: Final = b'"}]:,'
LETTER: Final = ord("x")
"""It begins no word of JSON, so that it may come amid strings only."""

STRIDE: Final = 7
"""Printable characters are taken as many further on each time, so that no short cycle goes on for ever."""


class Vocabulary:
    """Tokens as llguidance takes them: `tokens` by id, of which the special ones have no text."""

    bos_token_id: int | None = None

    def __init__(self, tokens: Sequence[bytes], end: int) -> None:
        self.tokens = tokens
        self.eos_token_id = end
        self.special_token_ids = [token for token, data in enumerate(tokens) if not data]

    def __call__(self, text: bytes | str) -> list[int]:
        """The bytes of a text, which are the ids 0 to 255."""
        return list(text.encode() if isinstance(text, str) else text)


class Follower:
    """Follows `grammar` with the tokens of a vocabulary, whose ids from `words` on are words of calls."""

    def __init__(self, grammar: str, tokens: tuple[bytes, ...], end: int, words: int) -> None:
        self._matcher = LLMatcher(_tokenizer(tokens, end), grammar, log_level=0)
        if self._matcher.is_error():
            raise BadRequest(f"The grammar cannot be followed: {self._matcher.get_error()}")
        self._end = end
        self._words = range(words, len(tokens))

    def allowed(self) -> frozenset[int]:
        """The tokens that may come next; at least one."""
        return frozenset(token for token, bias in enumerate(self._matcher.compute_logit_bias()) if bias)

    def choose(self, scripted: int, allowed: Collection[int], number: int) -> int:
        """The token at place `number` of an answer, where `scripted` would be without a grammar."""
        closing = CLOSING_STRING if LETTER in allowed else CLOSING
        wanted: tuple[int, ...] = (scripted, self._end, *closing, *self._words)
        for token in wanted:
            if token in allowed:
                return token
        printable = range(ord("!"), ord("~") + 1)
        ranked = [token for token in printable if token in allowed] or sorted(allowed)
        return ranked[number * STRIDE % len(ranked)]

    def take(self, token: int) -> None:
        """The answer goes on with this token, which is allowed."""
        self._matcher.consume_token(token)


@cache
def _tokenizer(tokens: tuple[bytes, ...], end: int) -> LLTokenizer:
    return LLTokenizer(TokenizerWrapper(Vocabulary(tokens, end)))
