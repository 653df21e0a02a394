"""A forward pass: writes keys and values into the caches, returns the last hidden state of each sequence.

Source: the Llama of mlx_lm (models/llama.py). The results differ only by rounding. This version runs fewer operations,
because each costs some microseconds on a CPU, and faster ones: `mx.exp` takes twice as long as `mx.power`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import mlx.core as mx

if TYPE_CHECKING:
    from gonogo_server.engine.mlx.packed.caches import Caches
    from gonogo_server.engine.mlx.packed.layout import Layout, Run
    from gonogo_server.engine.mlx.packed.weights import Layer, Weights


MIN_ROWS = 4
"""The number of rows from which MKL, in its reproducible mode, uses the same kernel for any product."""


class Forward:
    """Forward passes of one model.

    With `batch_invariant`, the result for a token is bit-identical whichever other sequences and tokens are in the
    pass: products have at least `MIN_ROWS` rows, and the attention of each token is computed separately.
    """

    def __init__(self, weights: Weights, *, batch_invariant: bool = False) -> None:
        self._weights = weights
        self._batch_invariant = batch_invariant
        self._queries = weights.query_heads
        self._keys = weights.key_heads
        self._size = weights.head_size
        half = self._size // 2
        # Rotated by a position, it becomes the cosines and sines of that position.
        self._unrotated = mx.concatenate([mx.ones((1, 1, 1, half)), mx.zeros((1, 1, 1, half))], axis=-1)
        self._key_rows = mx.arange(2 * self._keys)[None]
        self._inverse = mx.array(1 / math.e)
        mx.eval(self._unrotated, self._key_rows, self._inverse)

    def __call__(self, layout: Layout, caches: Caches) -> mx.array:
        """The normalised states, of shape [tokens, hidden size], in the order of the layout."""
        weights = self._weights
        states = weights.embedding[layout.tokens]
        turns = self._turns(layout)
        for index, layer in enumerate(weights.layers):
            states = self._block(states, layer, index, turns, layout, caches)
        return mx.fast.rms_norm(states, weights.norm, weights.epsilon)

    def logits(self, states: mx.array) -> mx.array:
        """The logits of these states, of shape [tokens, vocabulary]."""
        return self._product(states, self._weights.head)

    def _turns(self, layout: Layout) -> tuple[mx.array, mx.array]:
        """The factors of the heads of queries, keys and values, and the factors of their swapped halves.

        Those of queries include the scale of the attention; those of values change nothing.
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
        missing = MIN_ROWS - len(states)
        if not self._batch_invariant or missing <= 0:
            return states @ weight
        return (mx.pad(states, [(0, missing), (0, 0)]) @ weight)[: len(states)]

    def _added(self, states: mx.array, inputs: mx.array, weight: mx.array) -> mx.array:
        if self._batch_invariant:
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
            rows, positions = layout.cache_index
            cache[rows, self._key_rows, positions] = keys_values
        return cache

    def _attended(self, queries: mx.array, cache: mx.array, layout: Layout) -> mx.array:
        if self._batch_invariant:
            return mx.concatenate(
                [
                    self._of_rows(queries[index : index + 1], cache[row : row + 1, :, : place + 1], None)
                    for index, (row, place) in enumerate(layout.row_positions)
                ]
            )
        rows = self._of_rows(queries[: layout.rows], cache[: layout.rows, :, : layout.longest], layout.mask)
        runs = [self._of_run(queries, cache, run) for run in layout.runs]
        return mx.concatenate([rows, *runs]) if runs else rows

    def _of_rows(self, queries: mx.array, cache: mx.array, mask: mx.array | None) -> mx.array:
        """The attention of one token of each row to the whole row."""
        rows = len(queries)
        grouped = queries.reshape(rows, self._keys, -1, self._size)
        scores = grouped @ cache[:, : self._keys].swapaxes(-1, -2)
        if mask is not None:
            scores = scores + mask
        return (mx.softmax(scores, axis=-1) @ cache[:, self._keys :]).reshape(rows, -1)

    def _of_run(self, queries: mx.array, cache: mx.array, run: Run) -> mx.array:
        """The causal attention of several tokens of one row."""
        own = queries[run.start : run.start + run.count].swapaxes(0, 1)[None]
        read = cache[run.row : run.row + 1, :, : run.end]
        attended = mx.fast.scaled_dot_product_attention(
            own, read[:, : self._keys], read[:, self._keys :], scale=1.0, mask="causal"
        )
        return attended[0].swapaxes(0, 1).reshape(run.count, -1)
