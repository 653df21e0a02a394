"""An answer on the engine's thread: a sequence of the batch, which turns its tokens into pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo_server.engine.base import Piece
from gonogo_server.engine.mlx import top_logprobs
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
    """The sequence of `generation`; its pieces go to `ticket`. `matcher` is its grammar, at the start."""

    def __init__(self, ticket: Ticket, generation: Generation, text: Text, matcher: LLMatcher | None) -> None:
        self.ticket = ticket
        self.generation = generation
        self.prompt = generation.prompt
        self.max_tokens = generation.max_tokens
        self.first = generation.first
        self.cached = 0
        """Number of prompt tokens that came from a cache."""
        self.sampler = sampler(generation.sampling)
        self._mask = None if matcher is None else GrammarMask(matcher)
        # The grammar comes last, so that no bias can allow a token that it forbids.
        self.processors = processors(generation.sampling) + ([self._mask] if self._mask else [])
        self._top_logprobs = generation.logprobs
        self._text = text
        self._stream = text.stream()
        self._started = False

    @property
    def length(self) -> int:
        """The number of prompt tokens plus `max_tokens`."""
        return len(self.prompt) + self.max_tokens

    @property
    def wants_logprobs(self) -> bool:
        """Whether the request asks for the log probabilities of its tokens."""
        return self._top_logprobs is not None

    @property
    def failure(self) -> BadRequest | RuntimeError | None:
        """The error for which this answer has to end, while the batch continues; None if there is none."""
        return None if self._mask is None else self._mask.failure

    def piece(self, token: int, logprobs: mx.array, finish_reason: str | None) -> Piece:
        """The piece of the next token; `logprobs` has the shape [vocabulary]."""
        cached, self._started = (0 if self._started else self.cached), True
        if token in self._text.end_tokens:
            return Piece("", 1, "stop", cached)
        entries: tuple[Token, ...] = ()
        if self._top_logprobs is not None:
            entries = (top_logprobs.token(logprobs, token, self._top_logprobs, self._text.spell),)
        return Piece(self._stream(token), 1, "length" if finish_reason else None, cached, entries, (token,))
