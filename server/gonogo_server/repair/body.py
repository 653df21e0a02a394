"""Repairs an upstream's whole answer: bytes in, a document out, unchanged or edited.

`documents.body` returns the bytes to send. The text of an answer is never changed.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Any, Final

from gonogo_server.errors import UpstreamError
from gonogo_server.repair.answers import answer
from gonogo_server.repair.documents import Body, constant
from gonogo_server.repair.fold import folded
from gonogo_server.repair.reading import DONE
from gonogo_server.repair.stages.naming import RESPONSE
from gonogo_server.repair.vectors import embeddings

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document, Noted, Requested

RULES: Final = (
    "chat.response.content_type",
    "chat.response.json",
    "completions.response.content_type",
    "completions.response.json",
    "embeddings.response.content_type",
    "http.names",
    "models.list.content_type",
    "models.list.json",
)
_EVENTS: Final = (b"data:", b"event:", b"id:", b"retry:", b":")


def repaired(requested: Requested, data: bytes, noted: Noted) -> Document:
    """The answer in these bytes; a stream sent instead is folded into one.

    Raises UpstreamError if it is an error, unfinished or unreadable.
    """
    group = RESPONSE[requested.operation]
    if requested.operation == "embedding":
        return embeddings(requested, read(data, noted, group), noted)
    if data.removeprefix(BOM_UTF8).lstrip().startswith(_EVENTS):
        noted(f"{group}.content_type")
        return answer(requested, folded(requested, data, noted), noted)
    return answer(requested, read(data, noted, group), noted)


def read(data: bytes, noted: Noted, group: str = "models.list") -> Document:
    """The JSON object of a body, without duplicate names; a bare list is wrapped in an object.

    `group` is the group of the noted rules. Raises UpstreamError for invalid JSON.
    """
    edited: set[str] = set()
    value = _value(data, edited, group)
    if isinstance(value, list):
        edited.add(f"{group}.json")
        value = {"object": "list", "data": value}
    if not isinstance(value, dict):
        raise _unread("not a JSON object")
    for rule in sorted(edited):
        noted(rule)
    if edited or data.startswith(BOM_UTF8):
        return value
    body = Body(value)
    body.data = data
    return body


def _value(data: bytes, edited: set[str], group: str) -> object:
    """The JSON value; the rules that its text breaks are added to `edited`."""

    def once(pairs: list[tuple[str, Any]]) -> Document:
        found = dict(pairs)
        if len(found) < len(pairs):
            edited.add("http.names")
        return found

    def number(name: str) -> float | None:
        if group == RESPONSE["embedding"]:
            raise _unread("a vector with a number that JSON does not have")
        return constant(name, edited.add, f"{group}.json")

    try:
        text = data.removeprefix(BOM_UTF8).decode().strip()
        value, end = json.JSONDecoder(object_pairs_hook=once, parse_constant=number).raw_decode(text)
    except (ValueError, RecursionError):
        raise _unread("no JSON") from None
    behind = text[end:].strip()
    if behind and behind.removeprefix("data:").strip() != DONE.decode():
        raise _unread("no JSON")
    if behind:
        edited.add(f"{group}.json")
    return value


def _unread(what: str) -> UpstreamError:
    return UpstreamError(f"The upstream's answer is {what}: try again.", code="upstream_unreadable")
