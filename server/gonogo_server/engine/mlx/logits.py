"""Logits processors of one answer: penalties, bias, grammar.

mlx_lm calls each with all token ids so far (on the first call, up to the last token of the prompt) and the logits for
the next token, of shape [1, vocabulary]. None of them may raise: an exception would leave the caches of the whole batch
out of step (mlx_lm 0.32.2, GenerationBatch._step).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlx.core as mx

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gonogo_server.engine.base import Sampling

    LogitsProcessor = Callable[[mx.array, mx.array], mx.array]


def processors(sampling: Sampling) -> list[LogitsProcessor]:
    """The processors that `sampling` needs, in the order of their application."""
    penalised = sampling.presence_penalty or sampling.frequency_penalty
    return [
        *([Penalties(sampling.presence_penalty, sampling.frequency_penalty)] if penalised else []),
        *([Bias(sampling.logit_bias)] if sampling.logit_bias else []),
    ]


class Penalties:
    """Lowers the logits of tokens that the answer already contains; the prompt does not count.

    Source: OpenAI, advanced usage: `logit - count * frequency - (count > 0) * presence`. Those of mlx_lm
    count the prompt too, and only the last 20 tokens.
    """

    def __init__(self, presence: float, frequency: float) -> None:
        self._presence = presence
        self._frequency = frequency
        self._counts: mx.array | None = None
        self._seen = 0

    def __call__(self, tokens: mx.array, logits: mx.array) -> mx.array:
        """The logits with the penalties subtracted."""
        if self._counts is None:
            self._counts = mx.zeros(logits.shape[-1], mx.float32)
        else:
            # Usually one token, more if a grammar forced some.
            self._counts = self._counts.at[tokens[self._seen :]].add(1.0)
        self._seen = len(tokens)
        return logits - self._frequency * self._counts - self._presence * (self._counts > 0)


class Bias:
    """Adds a value to the logits of some tokens; `pairs` are token ids and values."""

    def __init__(self, pairs: Sequence[tuple[int, float]]) -> None:
        self._ids = mx.array([token for token, _ in pairs])
        self._values = mx.array([value for _, value in pairs], mx.float32)

    def __call__(self, _tokens: mx.array, logits: mx.array) -> mx.array:
        """The logits with the biases added."""
        return logits.astype(mx.float32).at[:, self._ids].add(self._values)
