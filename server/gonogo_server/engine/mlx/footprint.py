"""The size of an answer's caches in bytes, computed before its prefill.

For a Llama that is layers x key/value heads x head size x 2 x bytes of a number for each token. It is not computed
from the configuration, as each architecture says it otherwise, but looked up in the caches that the model makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mlx.core as mx

from gonogo_server.engine.mlx.api import KVCache, make_prompt_cache


@dataclass(frozen=True, slots=True)
class Layer:
    """One answer's cache: `fixed` bytes, and `per_token` for each of the last `window` tokens (None: of all)."""

    fixed: int
    per_token: int
    window: int | None

    def nbytes(self, tokens: int) -> int:
        """Where there is room for so many tokens."""
        return self.fixed + self.per_token * (tokens if self.window is None else min(tokens, self.window))


@dataclass(frozen=True, slots=True)
class Footprint:
    """What each answer of a model takes."""

    layers: tuple[Layer, ...]

    def nbytes(self, rows: int, longest: int) -> int:
        """Of so many answers side by side of which the longest has so many tokens, its prompt among them.

        Each of them takes what the longest does: mlx_lm pads the others (`BatchKVCache`), and makes room for some
        tokens at a time. What a step computes beside the caches is not counted, nor that a window of tokens is wider
        by a step's while a prompt is read.
        """
        room = longest + KVCache.step - 1
        return rows * sum(layer.nbytes(room) for layer in self.layers)


def measure(model: Any) -> Footprint:  # noqa: ANN401 - mlx_lm's models have no common type
    """That of an mlx_lm model. It is called with a token, but nothing is computed: shapes are known without."""
    cache = make_prompt_cache(model)
    model(mx.array([[0]]), cache=cache)
    parts = [part for layer in cache for part in getattr(layer, "caches", [layer])]
    return Footprint(tuple(map(_layer, parts)))


def _layer(cache: Any) -> Layer:  # noqa: ANN401 - mlx_lm's
    keys = getattr(cache, "keys", None)
    if keys is None:
        # The state of a recurrent or convolutional layer.
        return Layer(cache.nbytes, 0, None)
    window = getattr(cache, "max_size", getattr(cache, "chunk_size", None))
    return Layer(0, cache.nbytes // keys.shape[2], window)
