"""The prefix cache: keys and values of earlier prompts for prompts with the same beginning.

Bounded by bytes, and the least recently used goes first. The keys are compared one by one: all tokens in it
together are few (a token takes tens of kilobytes), so that a search is a comparison of short arrays, faster than a
step of any model. Nothing here knows of mlx.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Entry(Generic[Value]):
    """What a model made of `tokens`; where it is not `trimmable`, of all of them or nothing."""

    tokens: NDArray[np.int64]
    value: Value
    nbytes: int
    trimmable: bool

    def usable(self, tokens: NDArray[np.int64]) -> int:
        """How many of the first `tokens` need not be read again."""
        shared = common_prefix(self.tokens, tokens)
        return shared if self.trimmable or shared == len(self.tokens) else 0


class PrefixCache(Generic[Value]):
    """Entries by model, `limit` bytes of them at most; 0 keeps nothing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[tuple[str, bytes], Entry[Value]] = OrderedDict()
        self.nbytes = 0
        """What all entries take."""

    def __len__(self) -> int:
        return len(self._entries)

    def longest(
        self, model: str, tokens: Sequence[int] | NDArray[np.int64]
    ) -> tuple[Entry[Value], int] | None:
        """The entry with the longest usable beginning of `tokens`, and its length in tokens; None for none."""
        wanted = np.asarray(tokens, dtype=np.int64)
        lengths = {key: entry.usable(wanted) for key, entry in self._entries.items() if key[0] == model}
        best = max(lengths, key=lambda key: lengths[key], default=None)
        if best is None or not lengths[best]:
            return None
        self._entries.move_to_end(best)
        return self._entries[best], lengths[best]

    def add(self, model: str, tokens: Sequence[int], value: Value, nbytes: int, *, trimmable: bool) -> None:
        """Keep it; what is a mere beginning of it goes, and then what was not used for the longest time.

        What is larger than the limit is not kept, and nothing goes for it; nor what another one serves for as well.
        """
        if nbytes > self._limit or not tokens:
            return
        entry = Entry(np.asarray(tokens, dtype=np.int64), value, nbytes, trimmable)
        if (there := self.longest(model, entry.tokens)) is not None and there[1] == len(tokens):
            return
        for key, other in list(self._entries.items()):
            if key[0] == model and trimmable and other.usable(entry.tokens) == len(other.tokens):
                self._drop(key)
        self._entries[model, entry.tokens.tobytes()] = entry
        self.nbytes += nbytes
        self._keep_to_limit()

    def limit_to(self, limit: int) -> None:
        """Hold so many bytes at most from now on."""
        self._limit = limit
        self._keep_to_limit()

    def forget(self, model: str) -> None:
        """Drop everything of this model."""
        for key in [key for key in self._entries if key[0] == model]:
            self._drop(key)

    def _keep_to_limit(self) -> None:
        while self.nbytes > self._limit:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: tuple[str, bytes]) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.nbytes -= entry.nbytes


def common_prefix(one: NDArray[np.int64], other: NDArray[np.int64]) -> int:
    """How many tokens both begin with."""
    shorter = min(len(one), len(other))
    differing = np.flatnonzero(one[:shorter] != other[:shorter])
    return int(differing[0]) if differing.size else shorter
