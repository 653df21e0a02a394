"""The keys and values of all sequences of a batch, one row per sequence, starting with its first token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlx.core as mx

from gonogo_server.engine.mlx.api import KVCache

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.engine.mlx.packed.weights import Weights

STEP = 256
"""Tokens by which rows get longer, as in mlx_lm's caches."""


class Caches:
    """An array a layer, of shape [rows, keys and values of each head, tokens, head size].

    A row is written where it ends, so that an array is changed in its place: what was taken from it before is a copy.
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
        """What they take."""
        return sum(layer.nbytes for layer in self.layers)

    def make_room(self, rows: int, tokens: int) -> None:
        """For so many rows of so many tokens each, which is all there is then where that is to change."""
        if rows > self._rows or tokens > self._room:
            self._reshape(rows, -(-tokens // STEP) * STEP)

    def put(self, row: int, cache: Sequence[KVCache]) -> None:
        """Begin a row with what was read elsewhere."""
        for index, (layer, read) in enumerate(zip(self.layers, cache, strict=True)):
            both: mx.array = mx.concatenate([read.keys, read.values], axis=1)  # type: ignore[list-item]  # there are some
            layer[row : row + 1, :, : read.offset] = both[..., : read.offset, :]
            self.layers[index] = layer
            mx.eval(layer)

    def copy(self, row: int, tokens: int) -> list[KVCache]:
        """A copy of the first tokens of a row, as mlx_lm keeps them, not evaluated yet."""
        return [self._copied(layer[row : row + 1, :, :tokens], tokens) for layer in self.layers]

    def move(self, row: int, to: int, tokens: int) -> None:
        """Have the first tokens of a row in another one as well."""
        for index, layer in enumerate(self.layers):
            moved = mx.contiguous(layer[row : row + 1, :, :tokens])
            # Evaluated, as the array could not be changed in its place otherwise.
            mx.eval(moved)
            layer[to : to + 1, :, :tokens] = moved
            self.layers[index] = layer
            mx.eval(layer)

    def clear(self) -> None:
        """Let go of all of it."""
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
            # One layer at a time, so that little is there twice.
            mx.eval(self.layers[index])
        self._rows, self._room = rows, room
