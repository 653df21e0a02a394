"""Cumulative deltas, each with the whole text so far: only the new text is passed on.

A normal text can begin in the same way ("a", then "aa"). Pieces that look cumulative are therefore held back until
there is enough evidence, or until the next piece shows otherwise; without evidence they are released unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from gonogo_server.errors import UpstreamError
from gonogo_server.repair.stages.texts import put_text, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document, Noted, Requested

RULES: Final = ("text.same", "text.completions_same")
FEWEST: Final = 4
"""Pieces that count as evidence if each begins with the whole piece before it, and continues."""
MOST: Final = 32
"""Pieces that are held back at most; text that is still undecided then repeats itself."""
LONG: Final = 16
"""Longer than any token, and therefore than a normal piece that begins with three others."""


class State(Enum):
    """What is known about the pieces of a choice."""

    OPEN = auto()
    PLAIN = auto()
    SNAPSHOTS = auto()


@dataclass(slots=True)
class _Text:
    state: State = State.OPEN
    last: str = ""
    pieces: int = 0
    sent: str = ""

    def see(self, piece: str, tokens: str | None) -> None:
        """Use the next piece as evidence, with the text of its tokens if log probabilities give it."""
        if self.state is not State.OPEN or not piece:
            return
        if self.pieces and tokens and piece == self.last + tokens:
            self.state = State.SNAPSHOTS
            return
        if not self.pieces:
            self.sent = piece
        elif not piece.startswith(self.last) or piece == self.last:
            self.state = State.PLAIN
        self.last, self.pieces = piece, self.pieces + 1
        if self.state is State.OPEN and self.pieces >= FEWEST and _is_no_repetition(piece):
            self.state = State.SNAPSHOTS
        elif self.pieces >= MOST and self.state is State.OPEN:
            self.state = State.PLAIN

    @property
    def waits(self) -> bool:
        """Whether pieces are held back."""
        return self.state is State.OPEN and self.pieces > 1

    def added(self, piece: str) -> str:
        """The new text of a cumulative piece. Raises UpstreamError if it does not continue the text sent."""
        if not piece.startswith(self.sent):
            raise UpstreamError(
                "The upstream's text pieces contradict each other: try again.", code="upstream_unreadable"
            )
        added, self.sent = piece[len(self.sent) :], piece
        return added


class Cumulative:
    """Passes on the new text of each delta if deltas are cumulative; `known`: they are, without further evidence."""

    def __init__(self, requested: Requested, noted: Noted, *, known: bool = False) -> None:
        self._noted = noted
        self._chat = requested.operation == "chat"
        self._rule = RULES[0] if self._chat else RULES[1]
        self._known = known
        self._texts: dict[int, _Text] = {}
        self._plain: set[int] = set()
        self._held: list[Document] = []

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk, and those held back before it; nothing while it is held back."""
        if not self._held:
            for choice in chunk["choices"]:
                if choice["index"] not in self._plain:
                    break
            else:
                return (chunk,)
        for choice in chunk["choices"]:
            self._see(choice)
        self._held.append(chunk)
        if any(text.waits for text in self._texts.values()):
            return ()
        return self._let_go()

    def end(self) -> Iterable[Document]:
        """The chunks still held back, unchanged: there was not enough evidence."""
        for text in self._texts.values():
            if text.state is State.OPEN:
                text.state = State.PLAIN
        return self._let_go()

    def _see(self, choice: Document) -> None:
        index = choice["index"]
        text = self._texts.get(index)
        if text is None:
            text = self._texts[index] = _Text(State.SNAPSHOTS if self._known else State.OPEN)
        text.see(text_of(choice, chat=self._chat), self._tokens(choice))
        if text.state is State.OPEN and choice["finish_reason"] is not None:
            text.state = State.PLAIN
        if text.state is State.PLAIN:
            self._plain.add(index)

    def _let_go(self) -> list[Document]:
        held, self._held = self._held, []
        return [self._differenced(chunk) for chunk in held]

    def _differenced(self, chunk: Document) -> Document:
        edited = False
        for choice in chunk["choices"]:
            text, piece = self._texts[choice["index"]], text_of(choice, chat=self._chat)
            if text.state is State.SNAPSHOTS and piece:
                added = text.added(piece)
                if added != piece:
                    put_text(choice, added, chat=self._chat)
                    edited = True
        if not edited:
            return chunk
        self._noted(self._rule)
        return {**chunk}

    def _tokens(self, choice: Document) -> str | None:
        """The text of a piece's tokens, from its log probabilities."""
        found = choice.get("logprobs")
        if not isinstance(found, dict):
            return None
        entries = found.get("content") if self._chat else found.get("tokens")
        if not isinstance(entries, list):
            return None
        tokens = [entry.get("token") if isinstance(entry, dict) else entry for entry in entries]
        return "".join(token for token in tokens if isinstance(token, str))


def _is_no_repetition(text: str) -> bool:
    """Whether it is long enough to be a text, and not a repetition of a few characters."""
    if len(text) < LONG and " " not in text.strip():
        return False
    return not any(text.startswith(text[period:]) for period in range(1, len(text) // 2 + 1))
