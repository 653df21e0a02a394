"""The prefix cache: keys and values of earlier prompts, for prompts with the same prefix.

It is limited by bytes, and evicts the least recently used entry. A lookup compares the tokens of all entries. Because a
token takes tens of kilobytes, the cache holds few tokens in total, and a lookup is faster than a step of any model.
This module does not use mlx.
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
    """The cached state of `tokens`. If it is not `trimmable`, it can only be reused as a whole."""

    tokens: NDArray[np.int64]
    value: Value
    nbytes: int
    trimmable: bool

    def usable(self, tokens: NDArray[np.int64]) -> int:
        """Number of first `tokens` for which the entry replaces prefill."""
        shared = common_prefix(self.tokens, tokens)
        return shared if self.trimmable or shared == len(self.tokens) else 0


class PrefixCache(Generic[Value]):
    """The entries of all models, at most `limit` bytes in total; 0 disables the cache."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[tuple[str, bytes], Entry[Value]] = OrderedDict()
        self.nbytes = 0
        """Size of all entries in bytes."""

    def __len__(self) -> int:
        return len(self._entries)

    def longest(
        self, model: str, tokens: Sequence[int] | NDArray[np.int64]
    ) -> tuple[Entry[Value], int] | None:
        """The entry with the longest usable prefix of `tokens`, and the length of the prefix; None if there is none."""
        wanted = np.asarray(tokens, dtype=np.int64)
        lengths = {key: entry.usable(wanted) for key, entry in self._entries.items() if key[0] == model}
        best = max(lengths, key=lambda key: lengths[key], default=None)
        if best is None or not lengths[best]:
            return None
        self._entries.move_to_end(best)
        return self._entries[best], lengths[best]

    def add(self, model: str, tokens: Sequence[int], value: Value, nbytes: int, *, trimmable: bool) -> None:
        """Add an entry; drop entries that are prefixes of it, then the least recently used ones beyond the limit.

        Adds and drops nothing if the entry is larger than the limit, or if another entry covers all its tokens.
        """
        if nbytes > self._limit or not tokens:
            return
        entry = Entry(np.asarray(tokens, dtype=np.int64), value, nbytes, trimmable)
        if (found := self.longest(model, entry.tokens)) is not None and found[1] == len(tokens):
            return
        for key, other in list(self._entries.items()):
            if key[0] == model and trimmable and other.usable(entry.tokens) == len(other.tokens):
                self._drop(key)
        self._entries[model, entry.tokens.tobytes()] = entry
        self.nbytes += nbytes
        self._keep_to_limit()

    def limit_to(self, limit: int) -> None:
        """Set the limit in bytes, and evict entries beyond it."""
        self._limit = limit
        self._keep_to_limit()

    def forget(self, model: str) -> None:
        """Drop all entries of this model."""
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
    """The length of the common prefix in tokens."""
    shorter = min(len(one), len(other))
    differing = np.flatnonzero(one[:shorter] != other[:shorter])
    return int(differing[0]) if differing.size else shorter
