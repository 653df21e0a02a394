"""The keys and values of all sequences of a batch, one row per sequence, starting with its first token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlx.core as mx

from gonogo_server.engine.mlx.api import KVCache

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.engine.mlx.packed.weights import Weights

STEP = 256
"""Number of tokens by which rows grow, as in mlx_lm's caches."""


class Caches:
    """One array per layer, of shape [rows, keys and values of each head, tokens, head size].

    Tokens are appended in place, so anything taken out of an array has to be a copy.
    """

    def __init__(self, weights: Weights) -> None:
        self._heads = weights.key_heads
        self._size = weights.head_size
        self.layers: list[mx.array] = []
        self._count = len(weights.layers)
        self._rows = 0
        self._room = 0

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return sum(layer.nbytes for layer in self.layers)

    def make_room(self, rows: int, tokens: int) -> None:
        """Ensure room for `rows` rows of `tokens` tokens; arrays that grow get this size, rounded up to `STEP`."""
        if rows > self._rows or tokens > self._room:
            self._reshape(rows, -(-tokens // STEP) * STEP)

    def put(self, row: int, cache: Sequence[KVCache]) -> None:
        """Start a row with the keys and values of a cached prefix."""
        for index, (layer, read) in enumerate(zip(self.layers, cache, strict=True)):
            both: mx.array = mx.concatenate([read.keys, read.values], axis=1)  # type: ignore[list-item]  # neither is None once tokens were read
            layer[row : row + 1, :, : read.offset] = both[..., : read.offset, :]
            self.layers[index] = layer
            mx.eval(layer)

    def copy(self, row: int, tokens: int) -> list[KVCache]:
        """A copy of the first `tokens` tokens of a row, as mlx_lm's caches, not evaluated yet."""
        return [self._copied(layer[row : row + 1, :, :tokens], tokens) for layer in self.layers]

    def move(self, row: int, to: int, tokens: int) -> None:
        """Copy the first `tokens` tokens of a row to another row."""
        for index, layer in enumerate(self.layers):
            moved = mx.contiguous(layer[row : row + 1, :, :tokens])
            # Evaluated first, because the pending copy would prevent the change in place.
            mx.eval(moved)
            layer[to : to + 1, :, :tokens] = moved
            self.layers[index] = layer
            mx.eval(layer)

    def clear(self) -> None:
        """Free all arrays."""
        self.layers, self._rows, self._room = [], 0, 0

    def _copied(self, both: mx.array, tokens: int) -> KVCache:
        cache = KVCache()  # type: ignore[no-untyped-call]  # mlx_lm is typed in part
        cache.keys = mx.contiguous(both[:, : self._heads])
        cache.values = mx.contiguous(both[:, self._heads :])
        cache.offset = tokens
        return cache

    def _reshape(self, rows: int, room: int) -> None:
        shape = (rows, 2 * self._heads, room, self._size)
        if not self.layers:
            self.layers = [mx.zeros((0, *shape[1:]))] * self._count
        for index, layer in enumerate(self.layers):
            kept = layer[:rows, :, :room]
            more = [(0, wanted - has) for wanted, has in zip(shape, kept.shape, strict=True)]
            self.layers[index] = mx.pad(kept, more)
            # Evaluated layer by layer, so that only one layer is in memory twice.
            mx.eval(self.layers[index])
        self._rows, self._room = rows, room
