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
"""A temperature or top_p below this counts as 0: float32 cannot distinguish the result from greedy sampling."""


def sampler(sampling: Sampling) -> Callable[[mx.array], mx.array]:
    """A function from log probabilities (shape [rows, vocabulary]) to token ids (shape [rows]).

    All greedy answers share one function, because mlx_lm samples all rows at once if they have the same sampler.
    """
    if sampling.temperature < GREEDY or sampling.top_p < GREEDY:
        return greedy
    return SeededSampler(sampling)


def greedy(logprobs: mx.array) -> mx.array:
    """The most likely token of each row."""
    return mx.argmax(logprobs, axis=-1)


class SeededSampler:
    """Samples the tokens of one answer; equal seeds give equal samples.

    It has its own key, because mlx's global random state belongs to a thread and would be shared between answers.
    """

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        seed = secrets.randbits(64) if sampling.seed is None else sampling.seed & (2**64 - 1)
        self._key = mx.random.key(seed)

    def __call__(self, logprobs: mx.array) -> mx.array:
        """The token ids (shape [rows]) sampled from log probabilities (shape [rows, vocabulary])."""
        self._key, key = mx.random.split(self._key)
        return mx.random.categorical(self._weighed(logprobs), key=key)

    def _weighed(self, logprobs: mx.array) -> mx.array:
        # Temperature first, then top_p, in the order of OpenAI and vLLM.
        logprobs = logprobs.astype(mx.float32)
        logprobs = (logprobs - logprobs.max(axis=-1, keepdims=True)) / self._sampling.temperature
        if self._sampling.top_p >= 1:
            return logprobs
        return apply_top_p(logprobs - mx.logsumexp(logprobs, axis=-1, keepdims=True), self._sampling.top_p)
