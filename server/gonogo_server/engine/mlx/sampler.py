"""Sampling of the next token."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import mlx.core as mx

from gonogo_server.engine.mlx.api import apply_top_p

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_server.engine.base import Sampling

GREEDY = 1e-6
"""Below it, temperature and top_p are 0: float32 cannot tell what they leave from the likeliest token."""


def sampler(sampling: Sampling) -> Callable[[mx.array], mx.array]:
    """A function from log probabilities (shape [rows, vocabulary]) to token ids (shape [rows]).

    All greedy answers get the same one: mlx_lm draws for all rows at once where they share their sampler.
    """
    if sampling.temperature < GREEDY or sampling.top_p < GREEDY:
        return likeliest_token
    return SeededSampler(sampling)


def likeliest_token(logprobs: mx.array) -> mx.array:
    """The likeliest token of each row."""
    return mx.argmax(logprobs, axis=-1)


class SeededSampler:
    """Draws one token at a time for one answer; the draws of equal seeds are equal.

    The key is its own, as mlx's global random state belongs to a thread and would be shared between answers.
    """

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        seed = secrets.randbits(64) if sampling.seed is None else sampling.seed & (2**64 - 1)
        self._key = mx.random.key(seed)

    def __call__(self, logprobs: mx.array) -> mx.array:
        """The token ids (shape [rows]) drawn for log probabilities (shape [rows, vocabulary])."""
        self._key, key = mx.random.split(self._key)
        return mx.random.categorical(self._weighed(logprobs), key=key)

    def _weighed(self, logprobs: mx.array) -> mx.array:
        # The temperature first, then top_p of what it makes of the odds, as OpenAI's and vLLM's order is.
        logprobs = logprobs.astype(mx.float32)
        logprobs = (logprobs - logprobs.max(axis=-1, keepdims=True)) / self._sampling.temperature
        if self._sampling.top_p >= 1:
            return logprobs
        return apply_top_p(logprobs - mx.logsumexp(logprobs, axis=-1, keepdims=True), self._sampling.top_p)
