"""The interface of emulations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document


class Emulation(Protocol):
    """A stage that handles whole answers too. Each answer has its own; its input is already repaired."""

    @property
    def finished(self) -> bool:
        """Whether the rest of the answer is not needed, so that the upstream can be stopped."""

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunks that replace a chunk."""

    def end(self) -> Iterable[Document]:
        """The chunks after the last one of a stream that ended normally."""

    def body(self, body: Document) -> Document:
        """The body that replaces a whole answer; the same object if nothing is done."""


class Unfinished:
    """A base for emulations that need the whole answer and add nothing at its end."""

    @property
    def finished(self) -> bool:
        """Never."""
        return False

    def end(self) -> Iterable[Document]:
        """Nothing."""
        return ()
