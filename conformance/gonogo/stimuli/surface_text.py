"""The text in answers of surfaces other than chat: of a whole answer, or of one event of a stream."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Json = dict[str, Any]


def _of_response(value: Json) -> Iterator[object]:
    """The texts of a response, or of an event that adds to one, without reasoning and refusals."""
    if value.get("type") == "response.output_text.delta":
        yield value.get("delta")
    for item in _objects(value.get("output")):
        for part in _objects(item.get("content")):
            if part.get("type") == "output_text":
                yield part.get("text")


def _of_message(value: Json) -> Iterator[object]:
    """The texts of a message, or of an event that adds to one, without thinking."""
    begun, added = value.get("content_block"), value.get("delta")
    blocks = [*_objects(value.get("content")), *_objects([begun]), *_objects([added])]
    for block in blocks:
        if block.get("type") in ("text", "text_delta"):
            yield block.get("text")


READERS: Mapping[str, Callable[[Json], Iterator[object]]] = {
    "/responses": _of_response,
    "/messages": _of_message,
}
"""Returns the pieces of text in a JSON object of each surface, by path."""


def pieces(path: str, data: str) -> list[str]:
    """The pieces of text in the JSON of a body or an event; empty if it is not an object, or for another path."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return []
    read = READERS.get(path)
    found = read(value) if read is not None and isinstance(value, dict) else ()
    return [piece for piece in found if isinstance(piece, str)]


def _objects(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
