"""Raises errors that are sent instead of a chunk, and removes empty errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.repair.errors import error_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document, Noted

RULES: Final = ("stream.no_empty_error",)


class Failing:
    """Raises the error that an upstream sends in its stream, in any form."""

    def __init__(self, noted: Noted) -> None:
        self._noted = noted

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk, without an empty error."""
        if "choices" in chunk and "error" not in chunk:
            return (chunk,)
        failure = error_in(chunk)
        if failure is not None:
            raise failure
        if "error" not in chunk:
            return (chunk,)
        self._noted(RULES[0])
        return ({name: value for name, value in chunk.items() if name != "error"},)

    def end(self) -> Iterable[Document]:
        """Nothing more."""
        return ()
