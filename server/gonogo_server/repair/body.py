"""An upstream's whole answer, repaired: bytes go in, a document comes out, as it came or edited.

`documents.body` gives the bytes that go on. The text of an answer is never changed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NoReturn

from gonogo_server.errors import UpstreamError
from gonogo_server.repair.answers import answer
from gonogo_server.repair.documents import Body
from gonogo_server.repair.fold import folded
from gonogo_server.repair.vectors import embeddings

if TYPE_CHECKING:
    from gonogo_server.repair.base import Asked, Document, Noted

RULES: Final = (
    "chat.response.content_type",
    "completions.response.content_type",
    "http.names",
    "models.list.json",
)
_BOM: Final = b"\xef\xbb\xbf"
_EVENTS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")


def repaired(asked: Asked, data: bytes, noted: Noted) -> Document:
    """The answer in these bytes; of a stream that came instead, what it says together.

    UpstreamError where it is an error, is not finished, or cannot be read.
    """
    if asked.operation == "embedding":
        return embeddings(asked, read(data, noted), noted)
    if data.removeprefix(_BOM).lstrip().startswith(_EVENTS):
        return answer(asked, folded(asked, data, noted), noted)
    return answer(asked, read(data, noted), noted)


def read(data: bytes, noted: Noted) -> Document:
    """The JSON object of a body, with each name once; of a bare list one that holds it. UpstreamError for no JSON."""
    twice: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> Document:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice.append("http.names")
        return found

    try:
        text = data.removeprefix(_BOM).decode()
        value = json.loads(text, parse_constant=_refuse, object_pairs_hook=once)
    except (ValueError, RecursionError):
        raise UpstreamError(
            "The upstream's answer is no JSON: ask again.", code="upstream_unreadable"
        ) from None
    if isinstance(value, list):
        noted("models.list.json")
        return {"object": "list", "data": value}
    if not isinstance(value, dict):
        raise UpstreamError("The upstream's answer is no JSON object.", code="upstream_unreadable")
    if twice:
        noted(twice[0])
    if twice or data.startswith(_BOM):
        return value
    body = Body(value)
    body.data = data
    return body


def _refuse(_name: str) -> NoReturn:
    raise ValueError  # NaN and Infinity are not JSON
