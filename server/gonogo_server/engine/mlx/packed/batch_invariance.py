"""Tests whether matrix products are batch-invariant: bit-identical for any number of rows.

A BLAS uses different kernels for few and for many rows. MKL in its reproducible mode has two on AMD EPYC: one for up to
three rows, one for more. These functions test it on this machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlx.core as mx

from gonogo_server.engine.mlx.packed.forward import MIN_ROWS
from gonogo_server.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.engine.locate import Location
    from gonogo_server.engine.mlx.packed.weights import Weights

ROW_COUNTS = (MIN_ROWS, 5, 7, 8, 16, 20, 64, 80)
"""Row counts of the compared products: those of a few answers, and of a prompt read in the same pass."""


def is_batch_invariant(weights: Weights, counts: Sequence[int]) -> bool:
    """Whether the first row of each of the model's products is the same for all of these row counts."""
    layer = weights.layers[0]
    products = (layer.heads, layer.out, layer.gated, layer.down, weights.head)
    return all(_is_same(product, counts) for product in products)


def check_batch_invariant(location: Location, weights: Weights | None) -> None:
    """Raise `ModelUnavailable` if the answers of a model would depend on the other answers in the batch."""
    reason = None
    if weights is None:
        reason = "only plain Llama models on a CPU support it"
    elif not is_batch_invariant(weights, ROW_COUNTS):
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
