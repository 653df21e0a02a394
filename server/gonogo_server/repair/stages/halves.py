"""Joins characters that arrive as two surrogates in separate pieces of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.repair.stages.texts import put_text, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document, Noted, Requested

RULES: Final = ("text.surrogates",)


class Halves:
    """Holds the first surrogate of a character until the second arrives; without one it is released unchanged."""

    def __init__(self, requested: Requested, noted: Noted) -> None:
        self._noted = noted
        self._chat = requested.operation == "chat"
        self._first: dict[int, str] = {}

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk, with complete characters."""
        edited = False
        for choice in chunk["choices"]:
            text = text_of(choice, chat=self._chat)
            if self._first or (text and _is_first(text[-1])):
                edited |= self._joined(choice, text)
        return ({**chunk} if edited else chunk,)

    def end(self) -> Iterable[Document]:
        """Nothing more: a choice releases its held surrogate when it finishes."""
        return ()

    def _joined(self, choice: Document, text: str) -> bool:
        held = self._first.pop(choice["index"], "")
        whole = _whole(held + text)
        if whole != held + text:
            self._noted(RULES[0])
        if whole and _is_first(whole[-1]) and choice["finish_reason"] is None:
            self._first[choice["index"]] = whole[-1]
            whole = whole[:-1]
        if whole == text:
            return False
        put_text(choice, whole, chat=self._chat)
        return True


def _is_first(character: str) -> bool:
    return "\ud800" <= character <= "\udbff"


def _whole(text: str) -> str:
    """The text with surrogate pairs joined to characters."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
