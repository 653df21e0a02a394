"""An answer on the engine's thread: one sequence of the batch, and the output of its tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo_server.engine.base import Piece
from gonogo_server.engine.mlx import likeliest
from gonogo_server.engine.mlx.grammar import GrammarMask
from gonogo_server.engine.mlx.logits import processors
from gonogo_server.engine.mlx.sampler import sampler

if TYPE_CHECKING:
    import mlx.core as mx
    from llguidance import LLMatcher

    from gonogo_server.engine.base import Generation, Token
    from gonogo_server.engine.mlx.text import Text
    from gonogo_server.engine.mlx.ticket import Ticket
    from gonogo_server.errors import BadRequest


class TokenSequence:
    """`generation` for whoever holds `ticket`; `matcher` is its grammar, ready to be followed."""

    def __init__(self, ticket: Ticket, generation: Generation, text: Text, matcher: LLMatcher | None) -> None:
        self.ticket = ticket
        self.generation = generation
        self.prompt = generation.prompt
        self.max_tokens = generation.max_tokens
        self.first = generation.first
        self.cached = 0
        """Tokens of the prompt that were in a cache."""
        self.sampler = sampler(generation.sampling)
        self._mask = None if matcher is None else GrammarMask(matcher)
        # The grammar comes last, so that no bias makes possible what it forbids.
        self.processors = processors(generation.sampling) + ([self._mask] if self._mask else [])
        self._likeliest = generation.logprobs
        self._text = text
        self._stream = text.stream()
        self._begun = False

    @property
    def length(self) -> int:
        """Tokens of the prompt, and those that the answer may have."""
        return len(self.prompt) + self.max_tokens

    @property
    def wants_logprobs(self) -> bool:
        """Whether the request asks for the log probabilities of its tokens."""
        return self._likeliest is not None

    @property
    def failure(self) -> BadRequest | RuntimeError | None:
        """Why this answer cannot continue, though the batch can."""
        return None if self._mask is None else self._mask.failure

    def piece(self, token: int, logprobs: mx.array, finish_reason: str | None) -> Piece:
        """What the next token adds; `logprobs` has the shape [vocabulary]."""
        cached, self._begun = (0 if self._begun else self.cached), True
        if token in self._text.end_tokens:
            return Piece("", 1, "stop", cached)
        entries: tuple[Token, ...] = ()
        if self._likeliest is not None:
            entries = (likeliest.token(logprobs, token, self._likeliest, self._text.spell),)
        return Piece(self._stream(token), 1, "length" if finish_reason else None, cached, entries, (token,))
