"""The layout of a pass: which tokens of which sequences it computes, and their positions."""

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
    """What one sequence reads: `tokens` (at least one) behind the `length` that it has read already."""

    tokens: Sequence[int]
    length: int

    @property
    def end(self) -> int:
        """The tokens it has read after that."""
        return self.length + len(self.tokens)


@dataclass(frozen=True, slots=True)
class Run:
    """Of a sequence that reads several tokens all but the last: they stand side by side in the pass."""

    row: int
    start: int
    count: int
    end: int
    """The tokens that its sequence has read with them."""


class Layout:
    """One share for each sequence, in the order of their rows in the caches.

    In the pass the last tokens of all sequences come first, row by row, then the runs of those that read several:
    so the rows can be attended to, and logits made of them, at once.
    """

    def __init__(self, shares: Sequence[Share]) -> None:
        self.shares = shares
        self.rows = len(shares)
        self.longest = max(share.end for share in shares)
        self.runs = tuple(_runs(shares))
        self.even = all(share.end == self.longest for share in shares)
        """Whether all have read equally much then, so that nothing need be masked."""

    @cached_property
    def stands(self) -> list[tuple[int, int]]:
        """Row and position of each token."""
        last = [(row, share.end - 1) for row, share in enumerate(self.shares)]
        return [
            *last,
            *((run.row, place) for run in self.runs for place in range(run.end - run.count, run.end)),
        ]

    @cached_property
    def tokens(self) -> mx.array:
        """The ids."""
        last = [share.tokens[-1] for share in self.shares]
        return mx.array([*last, *(token for run in self.runs for token in self.shares[run.row].tokens[:-1])])

    @cached_property
    def positions(self) -> mx.array:
        """Where in its sequence each token stands."""
        return mx.array([place for _, place in self.stands])

    @cached_property
    def places(self) -> tuple[mx.array, mx.array]:
        """The rows (shape [tokens, 1]) and positions (the same) of all tokens."""
        return mx.array([row for row, _ in self.stands])[:, None], self.positions[:, None]

    @cached_property
    def mask(self) -> mx.array | None:
        """What is added to scores (shape [rows, 1, 1, longest]); None if each row is as long as the longest."""
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
