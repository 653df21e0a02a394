"""Tests whether matrix products are bit-identical for any number of rows.

A BLAS takes another path for few rows than for many. MKL in its reproducible mode has two on AMD EPYC: one for up to
three rows, one for more. Whether that holds is tried rather than believed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlx.core as mx

from gonogo_server.engine.mlx.packed.forward import STEADY_ROWS
from gonogo_server.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.engine.locate import Location
    from gonogo_server.engine.mlx.packed.weights import Weights

STEADY_COUNTS = (STEADY_ROWS, 5, 7, 8, 16, 20, 64, 80)
"""Rows of products that are compared: those of some answers, and of a prompt that is read beside them."""


def are_alike(weights: Weights, counts: Sequence[int]) -> bool:
    """Whether the first row is the same in products of so many rows each, for the shapes of this model."""
    layer = weights.layers[0]
    products = (layer.heads, layer.out, layer.gated, layer.down, weights.head)
    return all(_is_same(product, counts) for product in products)


def check_steady(location: Location, weights: Weights | None) -> None:
    """Raises `ModelUnavailable` if answers of a model would depend on what else is answered."""
    reason = None
    if weights is None:
        reason = "only plain Llama models on a CPU support it"
    elif not are_alike(weights, STEADY_COUNTS):
        reason = (
            "matrix products depend on the number of rows on this machine (with MKL in its "
            "reproducible mode they do not)"
        )
    if reason is not None:
        raise ModelUnavailable(
            f"The model {location.id} cannot be deterministic: {reason}. Remove --deterministic or the model."
        )


def _is_same(product: mx.array, counts: Sequence[int]) -> bool:
    rows = mx.random.normal((max(counts), product.shape[0]), key=mx.random.key(7))
    first, *others = (mx.matmul(rows[:count], product)[0] for count in counts)
    return all(bool(mx.array_equal(first, other)) for other in others)
