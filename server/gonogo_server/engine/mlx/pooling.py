"""Pooling: combines the vectors of the tokens into one vector per input, as the model was trained.

Source: the modes of sentence-transformers' `Pooling` module. The square root in "mean_sqrt_len_tokens" only
scales a vector that is normalised afterwards, so that the result equals "mean".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import mlx.core as mx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def pool(mode: str, states: mx.array, lengths: mx.array) -> mx.array:
    """Pool `states` (rows, tokens, hidden) to a vector of length 1 for each row: (rows, hidden), float32.

    Only the first `lengths[row]` tokens of a row count. `mode` is a key of `MODES`.
    """
    pooled = MODES[mode](states.astype(mx.float32), lengths)
    # A zero vector stays zero, as in torch's `normalize`.
    return pooled / mx.maximum(mx.linalg.norm(pooled, axis=-1, keepdims=True), 1e-12)


def _first(states: mx.array, _lengths: mx.array) -> mx.array:
    return states[:, 0]


def _last(states: mx.array, lengths: mx.array) -> mx.array:
    return states[mx.arange(states.shape[0]), lengths - 1]


def _mean(states: mx.array, lengths: mx.array) -> mx.array:
    return mx.where(_real(states, lengths), states, 0).sum(axis=1) / lengths[:, None]


def _max(states: mx.array, lengths: mx.array) -> mx.array:
    return mx.where(_real(states, lengths), states, -mx.inf).max(axis=1)


def _real(states: mx.array, lengths: mx.array) -> mx.array:
    return (mx.arange(states.shape[1]) < lengths[:, None])[:, :, None]


MODES: Final[Mapping[str, Callable[[mx.array, mx.array], mx.array]]] = {
    "cls": _first,
    "lasttoken": _last,
    "max": _max,
    "mean": _mean,
    "mean_sqrt_len_tokens": _mean,
}
"""Pooling functions by their name in a model's configuration."""
