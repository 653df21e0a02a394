"""How the scripted engine follows a grammar: the token that it chooses if its script does not match.

It takes the first of these that the grammar allows: the scripted token; the end token; a character that closes or
separates JSON (inside a string the quotation mark first, elsewhere a bracket); a word of tool calls; the printable
characters in turn, so that any grammar is followed to its end.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

from llguidance import LLMatcher, LLTokenizer, TokenizerWrapper

from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

CLOSING: Final = b'}]":,'
CLOSING_STRING: Final = b'"}]:,'
LETTER: Final = ord("x")
"""No JSON literal begins with it, so it is allowed only inside strings."""

STRIDE: Final = 7
"""Step through the printable characters, so that no short cycle repeats forever."""


class Vocabulary:
    """A vocabulary for llguidance: `tokens` by id, special ones empty, words of tool calls from the id `words` on."""

    bos_token_id: int | None = None

    def __init__(self, tokens: Sequence[bytes], end: int, words: int) -> None:
        self.tokens = tokens
        self.eos_token_id = end
        self.special_token_ids = [token for token, data in enumerate(tokens) if not data]
        self.words = range(words, len(tokens))
        self._split = re.compile(b"(%s)" % b"|".join(map(re.escape, tokens[words:])))

    def __call__(self, text: bytes | str) -> list[int]:
        """The token ids of a text: its words of tool calls, and otherwise its bytes (ids 0 to 255)."""
        parts = self._split.split(text.encode() if isinstance(text, str) else text)
        places = {self.tokens[word]: word for word in self.words}
        return [token for part in parts for token in ([places[part]] if part in places else part)]

    @cached_property
    def tokenizer(self) -> LLTokenizer:
        """The vocabulary as a tokenizer of llguidance."""
        return LLTokenizer(TokenizerWrapper(self))


class Follower:
    """Follows `grammar` with the tokens of a vocabulary. Raises `BadRequest` if the grammar is invalid."""

    def __init__(self, grammar: str, vocabulary: Vocabulary) -> None:
        self._matcher = LLMatcher(vocabulary.tokenizer, grammar, log_level=0)
        if self._matcher.is_error():
            raise BadRequest("The grammar cannot be followed.", code="invalid_json_schema")
        self._vocabulary = vocabulary

    def allowed(self) -> frozenset[int]:
        """The tokens that may come next; at least one. Raises `BadRequest` if llguidance fails."""
        biases = self._matcher.compute_logit_bias()
        if self._matcher.is_error():
            raise BadRequest("The grammar cannot be followed any further.", code="invalid_json_schema")
        return frozenset(token for token, bias in enumerate(biases) if bias)

    def choose(self, scripted: int, allowed: Collection[int], number: int) -> int:
        """The token at index `number` of the answer; `scripted` is the one that the script has there."""
        closing = CLOSING_STRING if LETTER in allowed else CLOSING
        wanted: tuple[int, ...] = (scripted, self._vocabulary.eos_token_id, *closing, *self._vocabulary.words)
        for token in wanted:
            if token in allowed:
                return token
        printable = range(ord("!"), ord("~") + 1)
        ranked = [token for token in printable if token in allowed] or sorted(allowed)
        return ranked[number * STRIDE % len(ranked)]

    def take(self, token: int) -> None:
        """Continue with this token, which must be allowed."""
        self._matcher.consume_token(token)
