"""A chunk that differs from the one before it in its text alone, told by its bytes. No I/O.

Most chunks of a stream do. Where no stage changed the one before, none would change it: it is passed on without being
read as JSON.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from gonogo_server.repair.documents import Chunk, read_object

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document

_PLAIN: Final = re.compile(rb'[^"\\\x00-\x1f]*')
"""What a string of JSON holds as it is."""
_CONTENT: Final = re.compile(rb'"content": ?"')
_PROBE: Final = b"-"


class Template:
    """The bytes before and behind the content of a chunk whose only choice has a delta of content alone."""

    __slots__ = ("_after", "_before", "_choice", "_document")

    def __init__(self, before: bytes, after: bytes, document: Document) -> None:
        self._before, self._after = before, after
        # Copies, as whoever gets the document may edit it.
        self._document: Document = {**document}
        self._choice: Document = {**document["choices"][0]}

    @classmethod
    def of(cls, data: bytes, document: Chunk) -> Template | None:
        """That of a chunk that no stage changed, of the data of its event. None if it has none."""
        text = _content(document)
        found = _CONTENT.search(data)
        if text is None or found is None or document.frame != _frame(data):
            return None
        before, rest = data[: found.end()], data[found.end() :]
        said = text.encode(errors="replace")
        if not rest.startswith(said + b'"') or not _PLAIN.fullmatch(said):
            return None
        after = rest[len(said) :]
        # What the pattern found may be another member of that name.
        if _content(read_object(before + _PROBE + after)) != _PROBE.decode():
            return None
        return cls(before, after, document)

    def chunk(self, data: bytes) -> Chunk | None:
        """The chunk of these data; None if they differ in more than the content, or in how it is written."""
        before, after = self._before, self._after
        if len(data) < len(before) + len(after) or not (data.startswith(before) and data.endswith(after)):
            return None
        said = data[len(before) : -len(after)]
        if _PLAIN.fullmatch(said) is None:
            return None
        try:
            text = said.decode()
        except UnicodeDecodeError:
            return None
        made = Chunk(self._document)
        made["choices"] = [{**self._choice, "delta": {"content": text}}]
        made.frame = _frame(data)
        return made


def _frame(data: bytes) -> bytes:
    return b"data: " + data + b"\n\n"


def _content(document: Document | None) -> str | None:
    """The content of the only choice, where its delta has nothing else, and ends nothing."""
    choices: Any = document.get("choices") if document is not None else None
    if type(choices) is not list or len(choices) != 1:
        return None
    choice = choices[0]
    delta = choice.get("delta") if type(choice) is dict else None
    if type(delta) is not dict or delta.keys() != {"content"} or choice.get("finish_reason") is not None:
        return None
    content = delta["content"]
    return content if type(content) is str else None
