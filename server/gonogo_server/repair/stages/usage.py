"""Usage in a stream: in a separate last chunk if requested, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.repair.counts import counted
from gonogo_server.repair.stages.naming import both, of_stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document, Noted, Requested

RULES: Final = both(
    "usage",
    "usage_last",
    "usage_once",
    "usage_schema",
    "usage_total",
    "usage_unasked",
    "usage_details",
    "nulls",
)


class Usage:
    """Keeps the last usage, and sends it at the end. Missing usage is never invented."""

    def __init__(self, requested: Requested, noted: Noted) -> None:
        self._requested, self._noted = requested, noted
        self._counted: Document | None = None
        self._behind = False  # whether a chunk followed it

    @property
    def has_come(self) -> bool:
        """Whether usage has arrived and must be sent at the end."""
        return self._counted is not None

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk without its usage; nothing if it had nothing else."""
        usage = chunk.get("usage")
        if usage is None:
            self._behind = self._counted is not None
            return (chunk,)
        if not isinstance(usage, dict) or not usage:
            self._note("usage_schema")
            return self._bare(chunk)
        if not self._requested.include_usage:
            self._note("usage_unasked")
        elif chunk["choices"] or self._counted is not None:
            self._note("usage_once" if self._counted is not None else "usage")
        self._counted = {**chunk, "choices": []} if chunk["choices"] else chunk
        self._behind = False
        return self._bare(chunk)

    def end(self) -> Iterable[Document]:
        """The chunk with the usage."""
        chunk, self._counted = self._counted, None
        if chunk is None or not self._requested.include_usage:
            return ()
        if self._behind:
            self._note("usage_last")
        usage = counted(chunk["usage"], self._note)
        if usage is None:
            return ()
        return (chunk if usage is chunk["usage"] else {**chunk, "usage": usage},)

    def _bare(self, chunk: Document) -> Iterable[Document]:
        if not chunk["choices"]:
            return ()
        if self._requested.include_usage:
            return ({**chunk, "usage": None},)
        return ({name: value for name, value in chunk.items() if name != "usage"},)

    def _note(self, name: str) -> None:
        self._noted(of_stream(self._requested, name))
