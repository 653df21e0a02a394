"""A forward pass: writes keys and values into the caches, returns the last hidden state of each sequence.

Source: the Llama of mlx_lm (models/llama.py), whose results these are but for rounding. What is different is how few
operations they take on a CPU, where each costs some microseconds, and which: mlx's exponential takes twice as long as
its power.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import mlx.core as mx

if TYPE_CHECKING:
    from gonogo_server.engine.mlx.packed.caches import Caches
    from gonogo_server.engine.mlx.packed.layout import Layout, Run
    from gonogo_server.engine.mlx.packed.weights import Layer, Weights


STEADY_ROWS = 4
"""The least rows of a product from which MKL, in its reproducible mode, takes one path for any number."""


class Forward:
    """Passes of one model.

    `steady`: the result for a token is bit-identical whatever other sequences and tokens are in the pass.
    Products have at least `STEADY_ROWS` rows then, and each token attends by itself.
    """

    def __init__(self, weights: Weights, *, steady: bool = False) -> None:
        self._weights = weights
        self._steady = steady
        self._queries = weights.query_heads
        self._keys = weights.key_heads
        self._size = weights.head_size
        half = self._size // 2
        # What a rotation makes of it are the cosines and sines of a position.
        self._unrotated = mx.concatenate([mx.ones((1, 1, 1, half)), mx.zeros((1, 1, 1, half))], axis=-1)
        self._key_rows = mx.arange(2 * self._keys)[None]
        self._inverse = mx.array(1 / math.e)
        mx.eval(self._unrotated, self._key_rows, self._inverse)

    def __call__(self, layout: Layout, caches: Caches) -> mx.array:
        """Normalised states, of shape [tokens, hidden size], in the order of the layout."""
        weights = self._weights
        states = weights.embedding[layout.tokens]
        turns = self._turns(layout)
        for index, layer in enumerate(weights.layers):
            states = self._block(states, layer, index, turns, layout, caches)
        return mx.fast.rms_norm(states, weights.norm, weights.epsilon)

    def logits(self, states: mx.array) -> mx.array:
        """Of shape [tokens, vocabulary]."""
        return self._product(states, self._weights.head)

    def _turns(self, layout: Layout) -> tuple[mx.array, mx.array]:
        """What the heads of queries, keys and values are multiplied by, and their swapped halves.

        Queries are scaled along with it, and values stay as they are.
        """
        count = len(layout.positions)
        base = mx.broadcast_to(self._unrotated, (count, 1, 1, self._size))
        turned = self._weights.rotate(base, offset=layout.positions).reshape(count, 1, self._size)
        cosines, sines = mx.split(turned, 2, axis=-1)
        once = mx.concatenate([cosines, cosines], axis=-1)
        swapped = mx.concatenate([-sines, sines], axis=-1)
        scale = self._size**-0.5
        kinds = [(scale, self._queries), (1.0, self._keys)]
        rest = (count, self._keys, self._size)
        return tuple(  # type: ignore[return-value]  # two of them
            mx.concatenate([*(mx.repeat(one * by, heads, axis=1) for by, heads in kinds), fill(rest)], axis=1)
            for one, fill in ((once, mx.ones), (swapped, mx.zeros))
        )

    def _block(
        self,
        states: mx.array,
        layer: Layer,
        index: int,
        turns: tuple[mx.array, mx.array],
        layout: Layout,
        caches: Caches,
    ) -> mx.array:
        epsilon = self._weights.epsilon
        heads = self._product(mx.fast.rms_norm(states, layer.first_norm, epsilon), layer.heads)
        heads = self._rotated(heads.reshape(len(states), -1, self._size), turns)
        cache = self._written(caches.layers[index], heads[:, self._queries :], layout)
        caches.layers[index] = cache
        attended = self._attended(heads[:, : self._queries], cache, layout)
        states = self._added(states, attended, layer.out)
        gated = self._product(mx.fast.rms_norm(states, layer.second_norm, epsilon), layer.gated)
        gate, through = mx.split(gated, 2, axis=-1)
        return self._added(states, gate / (1 + mx.power(self._inverse, gate)) * through, layer.down)

    def _product(self, states: mx.array, weight: mx.array) -> mx.array:
        missing = STEADY_ROWS - len(states)
        if not self._steady or missing <= 0:
            return states @ weight
        return (mx.pad(states, [(0, missing), (0, 0)]) @ weight)[: len(states)]

    def _added(self, states: mx.array, inputs: mx.array, weight: mx.array) -> mx.array:
        if self._steady:
            return states + self._product(inputs, weight)
        return mx.addmm(states, inputs, weight)

    def _rotated(self, heads: mx.array, turns: tuple[mx.array, mx.array]) -> mx.array:
        ahead, behind = mx.split(heads, 2, axis=-1)
        return heads * turns[0] + mx.concatenate([behind, ahead], axis=-1) * turns[1]

    def _written(self, cache: mx.array, keys_values: mx.array, layout: Layout) -> mx.array:
        if len(keys_values) == 1:
            end = layout.longest
            cache[:1, :, end - 1 : end] = keys_values[:, :, None]
        else:
            rows, positions = layout.places
            cache[rows, self._key_rows, positions] = keys_values
        return cache

    def _attended(self, queries: mx.array, cache: mx.array, layout: Layout) -> mx.array:
        if self._steady:
            return mx.concatenate(
                [
                    self._of_rows(queries[index : index + 1], cache[row : row + 1, :, : place + 1], None)
                    for index, (row, place) in enumerate(layout.stands)
                ]
            )
        rows = self._of_rows(queries[: layout.rows], cache[: layout.rows, :, : layout.longest], layout.mask)
        runs = [self._of_run(queries, cache, run) for run in layout.runs]
        return mx.concatenate([rows, *runs]) if runs else rows

    def _of_rows(self, queries: mx.array, cache: mx.array, mask: mx.array | None) -> mx.array:
        """One token of each row, which attends to all of its row."""
        rows = len(queries)
        grouped = queries.reshape(rows, self._keys, -1, self._size)
        scores = grouped @ cache[:, : self._keys].swapaxes(-1, -2)
        if mask is not None:
            scores = scores + mask
        return (mx.softmax(scores, axis=-1) @ cache[:, self._keys :]).reshape(rows, -1)

    def _of_run(self, queries: mx.array, cache: mx.array, run: Run) -> mx.array:
        """Tokens of one row, each of which attends to those before it."""
        asked = queries[run.start : run.start + run.count].swapaxes(0, 1)[None]
        read = cache[run.row : run.row + 1, :, : run.end]
        found = mx.fast.scaled_dot_product_attention(
            asked, read[:, : self._keys], read[:, self._keys :], scale=1.0, mask="causal"
        )
        return found[0].swapaxes(0, 1).reshape(run.count, -1)
