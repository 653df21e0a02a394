"""The layout of a pass: the tokens that it computes, with their sequences and positions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import mlx.core as mx
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Share:
    """The `tokens` (at least one) that one sequence reads, after the `length` tokens that it has read already."""

    tokens: Sequence[int]
    length: int

    @property
    def end(self) -> int:
        """The number of tokens that the sequence has read after the pass."""
        return self.length + len(self.tokens)


@dataclass(frozen=True, slots=True)
class Run:
    """All but the last token of a sequence that reads several; they are contiguous in the pass."""

    row: int
    start: int
    count: int
    end: int
    """The number of tokens that the sequence has read including these."""


class Layout:
    """One share for each sequence, in the order of their rows in the caches.

    The pass begins with the last token of each sequence, in the order of the rows, followed by the runs. This allows
    one operation for the attention of all rows, and one for their logits.
    """

    def __init__(self, shares: Sequence[Share]) -> None:
        self.shares = shares
        self.rows = len(shares)
        self.longest = max(share.end for share in shares)
        self.runs = tuple(_runs(shares))
        self.even = all(share.end == self.longest for share in shares)
        """Whether all sequences have the same length after the pass, so that no mask is needed."""

    @cached_property
    def row_positions(self) -> list[tuple[int, int]]:
        """The row and the position of each token."""
        last = [(row, share.end - 1) for row, share in enumerate(self.shares)]
        return [
            *last,
            *((run.row, place) for run in self.runs for place in range(run.end - run.count, run.end)),
        ]

    @cached_property
    def tokens(self) -> mx.array:
        """The token ids."""
        last = [share.tokens[-1] for share in self.shares]
        return mx.array([*last, *(token for run in self.runs for token in self.shares[run.row].tokens[:-1])])

    @cached_property
    def positions(self) -> mx.array:
        """The position of each token in its sequence."""
        return mx.array([place for _, place in self.row_positions])

    @cached_property
    def cache_index(self) -> tuple[mx.array, mx.array]:
        """The rows and the positions of all tokens, each of shape [tokens, 1]."""
        return mx.array([row for row, _ in self.row_positions])[:, None], self.positions[:, None]

    @cached_property
    def mask(self) -> mx.array | None:
        """The additive attention mask (shape [rows, 1, 1, longest]); None if all rows have the same length."""
        if self.even:
            return None
        ends = np.array([share.end for share in self.shares])
        beyond: NDArray[np.bool_] = np.arange(self.longest) >= ends[:, None]
        return mx.array(np.where(beyond, np.float32(-np.inf), np.float32(0))[:, None, None])


def _runs(shares: Sequence[Share]) -> list[Run]:
    runs: list[Run] = []
    start = len(shares)
    for row, share in enumerate(shares):
        if count := len(share.tokens) - 1:
            runs.append(Run(row, start, count, share.end - 1))
            start += count
    return runs
