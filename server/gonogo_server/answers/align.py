"""Aligns tokens with the text that is shown: tokens arrive when generated, text when decided. No I/O.

A token is given with the text that it completes: one that holds part of a character waits for the rest of it,
one whose text the stop filter holds back waits as well. Places are counted in characters.
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
    """A token in a text: the bytes that it adds (`data`), and the number of the character in which they begin.

    `token` is None for the first one of a prompt, which has no probability, as it follows nothing.
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
    """The characters that have to be shown for the whole token to be."""
    text: str
    """What it completes."""
    carried: int
    """Bytes of the first character of `text` that tokens before it hold."""

    def placed(self) -> Placed:
        return Placed(self.data, self.begin, self.token)

    def before(self, character: int) -> bytes:
        """The bytes of those of its characters that stand before this one."""
        kept = self.text[: max(0, character - self.begin)]
        return self.data[: max(0, len(kept.encode()) - self.carried)]

    def without(self, character: int) -> _Waiting:
        """The same without those of its characters that stand before this one."""
        skipped = max(0, character - self.begin)
        if not skipped:
            return self
        left = self.data[len(self.before(character)) :]
        return replace(self, data=left, begin=character, text=self.text[skipped:], carried=0)


class Aligner:
    """Takes tokens and lengths of shown text, gives the tokens of that text; the first one begins at `offset`."""

    def __init__(self, offset: int = 0) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._waiting: deque[_Waiting] = deque()
        self._read = self._shown = offset

    def add(self, data: bytes, token: Token | None) -> None:
        """A token and what it adds; that may be shown later, or never."""
        begin, carried = self._read, self._pending()
        text = self._decoder.decode(data)
        self._read += len(text)
        end = self._read + (1 if self._pending() else 0)
        self._waiting.append(_Waiting(data, token, begin, end, text, carried))

    def show(self, characters: int) -> tuple[Placed, ...]:
        """The tokens that are whole now that so many more characters are shown."""
        self._shown += characters
        whole: list[Placed] = []
        while self._waiting and self._waiting[0].end <= self._shown:
            whole.append(self._waiting.popleft().placed())
        return tuple(whole)

    def skip(self, characters: int) -> None:
        """So many more characters will never be shown, nor the tokens that end in them, nor their part of the next."""
        self.show(characters)
        if self._waiting:
            self._waiting[0] = self._waiting[0].without(self._shown)

    def cut(self) -> tuple[Placed, ...]:
        """What is left where nothing more will be shown: the shown part of a token that a stop string cut."""
        parts = [replace(one, data=one.before(self._shown)) for one in self._waiting]
        self._waiting.clear()
        return tuple(part.placed() for part in parts if part.data)

    def rest(self) -> tuple[Placed, ...]:
        """What is left where the answer ends by itself: tokens of a character that was never completed."""
        left = tuple(one.placed() for one in self._waiting)
        self._waiting.clear()
        return left

    def _pending(self) -> int:
        return len(self._decoder.getstate()[0])
