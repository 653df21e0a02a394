"""Two tools for requests, and random answers that match a grammar."""

from __future__ import annotations

import random

from llguidance import LLMatcher, LLTokenizer

BYTES = LLTokenizer("byte")
LAMP = {
    "type": "function",
    "function": {
        "name": "set_colour",
        "description": "Sets the colour of the lamp.",
        "parameters": {
            "type": "object",
            "properties": {"colour": {"type": "string", "enum": ["teal", "red"]}},
            "required": ["colour"],
            "additionalProperties": False,
        },
    },
}
BELL = {"type": "function", "function": {"name": "ring_bell"}}


class Grammar:
    """The texts that a grammar accepts, byte by byte."""

    def __init__(self, grammar: str) -> None:
        self._matcher = LLMatcher(BYTES, grammar, log_level=0)
        assert not self._matcher.is_error(), self._matcher.get_error()

    def admits(self, text: str) -> bool:
        """Whether the whole text is an accepted answer."""
        matcher = self._matcher.deep_copy()
        raw = text.encode()
        return matcher.try_consume_tokens(list(raw)) == len(raw) and matcher.is_accepting()

    def admits_beginning(self, text: str) -> bool:
        """Whether an accepted answer may begin with this text."""
        raw = text.encode()
        return self._matcher.deep_copy().try_consume_tokens(list(raw)) == len(raw)

    def dice(self, seed: int, length: int = 400) -> str | None:
        """A random answer that ends values early; None if it gets longer than `length` bytes."""
        draw, matcher, written = random.Random(seed), self._matcher.deep_copy(), b""
        while len(written) < length:
            allowed = [token for token, ok in enumerate(matcher.compute_logit_bias()) if ok]
            characters = [token for token in allowed if token < 256]
            if matcher.is_accepting() and (not characters or draw.random() < 0.5):
                return written.decode()
            closing = [token for token in b'"}]' if token in characters]
            token = draw.choice(closing if closing and draw.random() < 0.5 else characters)
            assert matcher.consume_token(token)
            written += bytes([token])
        return None
