"""The size of an answer's caches in bytes, computed before its prefill.

For a Llama it is layers x key/value heads x head size x 2 x bytes of a number for each token. It is not computed from
the configuration, whose names differ between architectures, but read from the caches that the model creates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mlx.core as mx

from gonogo_server.engine.mlx.api import KVCache, make_prompt_cache


@dataclass(frozen=True, slots=True)
class Layer:
    """One answer's cache in a layer: `fixed` bytes, and `per_token` for the last `window` tokens (None: for all)."""

    fixed: int
    per_token: int
    window: int | None

    def nbytes(self, tokens: int) -> int:
        """The size in bytes with room for `tokens` tokens."""
        return self.fixed + self.per_token * (tokens if self.window is None else min(tokens, self.window))


@dataclass(frozen=True, slots=True)
class Footprint:
    """The caches of one answer of a model."""

    layers: tuple[Layer, ...]

    def nbytes(self, rows: int, longest: int) -> int:
        """The size in bytes for `rows` concurrent answers, of which the longest has `longest` tokens with its prompt.

        Each answer takes as much as the longest: mlx_lm pads the others (`BatchKVCache`), and allocates several tokens
        at a time. Temporary arrays of a step are not counted, nor the tokens of one prefill step by which a window is
        wider during prefill.
        """
        room = longest + KVCache.step - 1
        return rows * sum(layer.nbytes(room) for layer in self.layers)


def measure(model: Any) -> Footprint:  # noqa: ANN401 - mlx_lm's models have no common type
    """The footprint of an mlx_lm model. It calls the model with one token and reads shapes; nothing is computed."""
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
