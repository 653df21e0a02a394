"""Removes padding from streams that disabled it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.repair.emulation.base import Unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document, Noted

NAME: Final = "obfuscation"


class NoPadding(Unfinished):
    """Removes the member `obfuscation` from each chunk."""

    def __init__(self, rule: str, noted: Noted) -> None:
        self._rule, self._noted = rule, noted

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk without its padding."""
        if NAME not in chunk:
            return (chunk,)
        self._noted(self._rule)
        return ({name: value for name, value in chunk.items() if name != NAME},)

    def body(self, body: Document) -> Document:
        """The answer, unchanged: only streams are padded."""
        return body
