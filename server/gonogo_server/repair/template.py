"""Recognises, by its bytes, a chunk that differs from the one before it only in its text. No I/O.

This is true of most chunks. If no stage changed the previous chunk, none would change this one, so it is passed on
without being parsed as JSON.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from gonogo_server.repair.documents import Chunk, read_object

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document

_PLAIN: Final = re.compile(rb'[^"\\\x00-\x1f]*')
"""The part of a JSON string that needs no escapes."""
_CONTENT: Final = re.compile(rb'"content": ?"')
_PROBE: Final = b"-"


class Template:
    """The bytes before and after the content of a chunk whose only choice has a delta with only content."""

    __slots__ = ("_after", "_before", "_choice", "_document")

    def __init__(self, before: bytes, after: bytes, document: Document) -> None:
        self._before, self._after = before, after
        # Copies, because the receiver of the document may edit it.
        self._document: Document = {**document}
        self._choice: Document = {**document["choices"][0]}

    @classmethod
    def of(cls, data: bytes, document: Chunk) -> Template | None:
        """The template of a chunk that no stage changed, from the data of its event; None if it has none."""
        text = _content(document)
        found = _CONTENT.search(data)
        if text is None or found is None or document.frame != _frame(data):
            return None
        before, rest = data[: found.end()], data[found.end() :]
        content = text.encode(errors="replace")
        if not rest.startswith(content + b'"') or not _PLAIN.fullmatch(content):
            return None
        after = rest[len(content) :]
        # The pattern may have found another member of that name.
        if _content(read_object(before + _PROBE + after)) != _PROBE.decode():
            return None
        return cls(before, after, document)

    def chunk(self, data: bytes) -> Chunk | None:
        """The chunk in these bytes; None if they differ in more than the content, or if that has escapes."""
        before, after = self._before, self._after
        if len(data) < len(before) + len(after) or not (data.startswith(before) and data.endswith(after)):
            return None
        content = data[len(before) : -len(after)]
        if _PLAIN.fullmatch(content) is None:
            return None
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return None
        made = Chunk(self._document)
        made["choices"] = [{**self._choice, "delta": {"content": text}}]
        made.frame = _frame(data)
        return made


def _frame(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


def _content(document: Document | None) -> str | None:
    """The content of the only choice, if its delta has nothing else and it has no finish reason."""
    choices: Any = document.get("choices") if document is not None else None
    if type(choices) is not list or len(choices) != 1:
        return None
    choice = choices[0]
    delta = choice.get("delta") if type(choice) is dict else None
    if type(delta) is not dict or delta.keys() != {"content"} or choice.get("finish_reason") is not None:
        return None
    content = delta["content"]
    return content if type(content) is str else None
