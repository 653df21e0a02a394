"""Rotary position embedding on a CPU, where mlx computes each rotation in 18 operations."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
from mlx.nn.layers.base import Module
from mlx.nn.layers.positional_encoding import RoPE

MOST_POSITIONS = 32_768
"""Most positions in a table: 32 MiB with 128 dimensions. Longer contexts use mlx's own rotation."""


class TableRoPE(Module):
    """Rotates bit-identically to `rope`; for one token per row it uses a table of `positions` entries.

    No position may exceed the table. The table comes from `rope` itself: rotated by a position, (1, 0) becomes the
    cosine and sine of the position. Prompts (many positions of few rows) and positions as plain numbers are left to
    `rope`. With SmolLM2 on two cores a step of eight rows takes 75 ms instead of 79, one of a single row 51 instead of
    54.
    """

    def __init__(self, rope: RoPE, positions: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # mlx.nn is typed in part
        # mlx does not treat attributes with "_" as parameters of the module.
        self._rope = rope
        half = rope.dims // 2
        pairs = mx.concatenate([mx.ones((1, 1, positions, half)), mx.zeros((1, 1, positions, half))], axis=-1)
        cos, sin = mx.split(rope(pairs).reshape(positions, rope.dims), 2, axis=-1)
        self._table = mx.concatenate([cos, cos, -sin, sin], axis=-1)
        mx.eval(self._table)

    def __call__(self, x: mx.array, offset: mx.array | int = 0) -> mx.array:
        """Rotate `x` (shape [rows, heads, tokens, dims]) by its positions, which begin at `offset` (shape [rows])."""
        dims = self._rope.dims
        if not isinstance(offset, mx.array) or not offset.ndim or x.shape[-2:] != (1, dims):
            return self._rope(x, offset=offset)  # type: ignore[no-any-return,arg-type]  # it has no return type, and takes arrays as well
        cos, sin = mx.split(self._table[offset][:, None, None], 2, axis=-1)
        ahead, behind = mx.split(x, 2, axis=-1)
        return x * cos + mx.concatenate([behind, ahead], axis=-1) * sin


def plain_rotation(rope: Module) -> RoPE | None:
    """The plain rotation (of the two halves of a head) that `rope` is or wraps; None for any other kind."""
    inner = rope._rope if isinstance(rope, TableRoPE) else rope  # noqa: SLF001 - the class is above
    return inner if type(inner) is RoPE and not inner.traditional else None


def look_up_rotations(model: Module, positions: int) -> None:
    """Replace the plain rotations in the layers of the model by tables of `positions` entries."""
    if positions > MOST_POSITIONS:
        return
    tables: dict[tuple[Any, ...], TableRoPE] = {}
    for module in model.modules():  # type: ignore[no-untyped-call]  # mlx.nn is typed in part
        for name, rope in tuple(module.items()):
            if type(rope) is RoPE and not rope.traditional:
                kind = (rope.dims, rope.base, rope.scale)
                if kind not in tables:
                    tables[kind] = TableRoPE(rope, positions)
                setattr(module, name, tables[kind])
