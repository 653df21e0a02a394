"""Logits processors of one answer: penalties, bias, grammar.

Each is called by mlx_lm with all token ids so far (the last of the prompt is the last of the first call) and the
logits for the next one, of shape [1, vocabulary]. None may raise: an exception would leave the caches of the
whole batch out of step (mlx_lm 0.32.2, GenerationBatch._step).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlx.core as mx

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gonogo_server.engine.base import Sampling

    LogitsProcessor = Callable[[mx.array, mx.array], mx.array]


def processors(sampling: Sampling) -> list[LogitsProcessor]:
    """What `sampling` asks for, in the order in which it is to be applied; none if it asks for nothing."""
    penalised = sampling.presence_penalty or sampling.frequency_penalty
    return [
        *([Penalties(sampling.presence_penalty, sampling.frequency_penalty)] if penalised else []),
        *([Bias(sampling.logit_bias)] if sampling.logit_bias else []),
    ]


class Penalties:
    """Makes tokens less likely that the answer has already; the prompt does not count.

    Source: OpenAI, advanced usage: `logit - count * frequency - (count > 0) * presence`. mlx_lm's own count the
    prompt and look back 20 tokens only.
    """

    def __init__(self, presence: float, frequency: float) -> None:
        self._presence = presence
        self._frequency = frequency
        self._counts: mx.array | None = None
        self._seen = 0

    def __call__(self, tokens: mx.array, logits: mx.array) -> mx.array:
        """The logits, lowered."""
        if self._counts is None:
            self._counts = mx.zeros(logits.shape[-1], mx.float32)
        else:
            # One as a rule, and more where a grammar left no choice.
            self._counts = self._counts.at[tokens[self._seen :]].add(1.0)
        self._seen = len(tokens)
        return logits - self._frequency * self._counts - self._presence * (self._counts > 0)


class Bias:
    """Adds to the logits of some tokens; pairs of token id and what is added."""

    def __init__(self, pairs: Sequence[tuple[int, float]]) -> None:
        self._ids = mx.array([token for token, _ in pairs])
        self._values = mx.array([value for _, value in pairs], mx.float32)

    def __call__(self, _tokens: mx.array, logits: mx.array) -> mx.array:
        """The logits, some of them moved."""
        return logits.astype(mx.float32).at[:, self._ids].add(self._values)
