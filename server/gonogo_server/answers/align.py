"""Aligns tokens with the visible text: a token arrives when generated, its text once it may be shown. No I/O.

A token is returned with the text that it completes. It waits if it ends inside a character, or if the stop filter holds
its text back. Offsets are counted in characters.
"""

from __future__ import annotations

import codecs
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gonogo_server.engine.base import Token


@dataclass(frozen=True, slots=True)
class Placed:
    """A token in a text: the bytes that it adds (`data`), and the character offset at which they begin.

    `token` is None for the first token of a prompt, which has no probability because nothing precedes it.
    """

    data: bytes
    offset: int
    token: Token | None


@dataclass(frozen=True, slots=True)
class _Waiting:
    data: bytes
    token: Token | None
    begin: int
    end: int
    """The number of characters that must be shown before the token is complete."""
    text: str
    """The text that the token completes."""
    carried: int
    """Bytes of the first character of `text` that belong to earlier tokens."""

    def placed(self) -> Placed:
        return Placed(self.data, self.begin, self.token)

    def before(self, character: int) -> bytes:
        """The bytes of its characters before this offset."""
        kept = self.text[: max(0, character - self.begin)]
        return self.data[: max(0, len(kept.encode()) - self.carried)]

    def without(self, character: int) -> _Waiting:
        """The token without its characters before this offset."""
        skipped = max(0, character - self.begin)
        if not skipped:
            return self
        left = self.data[len(self.before(character)) :]
        return replace(self, data=left, begin=character, text=self.text[skipped:], carried=0)


class Aligner:
    """Takes tokens and lengths of shown text, returns the tokens of that text; the text begins at `offset`."""

    def __init__(self, offset: int = 0) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._waiting: deque[_Waiting] = deque()
        self._read = self._shown = offset

    def add(self, data: bytes, token: Token | None) -> None:
        """Add a token and its bytes, which may be shown later or never."""
        begin, carried = self._read, self._pending()
        text = self._decoder.decode(data)
        self._read += len(text)
        end = self._read + (1 if self._pending() else 0)
        self._waiting.append(_Waiting(data, token, begin, end, text, carried))

    def show(self, characters: int) -> tuple[Placed, ...]:
        """The tokens that are complete after `characters` more characters are shown."""
        self._shown += characters
        whole: list[Placed] = []
        while self._waiting and self._waiting[0].end <= self._shown:
            whole.append(self._waiting.popleft().placed())
        return tuple(whole)

    def skip(self, characters: int) -> None:
        """Drop the next `characters` characters: tokens that end in them, and their part of the token after them."""
        self.show(characters)
        if self._waiting:
            self._waiting[0] = self._waiting[0].without(self._shown)

    def cut(self) -> tuple[Placed, ...]:
        """The remaining tokens after a stop string: the shown part of the token that it cut."""
        parts = [replace(one, data=one.before(self._shown)) for one in self._waiting]
        self._waiting.clear()
        return tuple(part.placed() for part in parts if part.data)

    def rest(self) -> tuple[Placed, ...]:
        """The remaining tokens at the natural end of the answer: those of a character that was never completed."""
        left = tuple(one.placed() for one in self._waiting)
        self._waiting.clear()
        return left

    def _pending(self) -> int:
        return len(self._decoder.getstate()[0])
