"""What every emulation is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document


class Emulation(Protocol):
    """A stage that works on whole answers too. It is new for each answer, and what it is given is repaired."""

    @property
    def finished(self) -> bool:
        """Whether nothing of the answer is wanted any more, so that the upstream can be told to stop."""

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """What goes on in place of a chunk."""

    def end(self) -> Iterable[Document]:
        """What goes on after the last chunk of a stream that ended as it should."""

    def body(self, body: Document) -> Document:
        """What goes on in place of a whole answer: that one where nothing has to be done."""


class Unfinished:
    """For emulations that want every answer whole, and have nothing to add at its end."""

    @property
    def finished(self) -> bool:
        """Never."""
        return False

    def end(self) -> Iterable[Document]:
        """Nothing."""
        return ()
