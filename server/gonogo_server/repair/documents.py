"""The JSON of events: parsed once, and serialized again only if it was edited."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Any, Final

from gonogo_server.errors import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_server.repair.base import Document, Noted

RULES: Final = ("stream.json", "stream.utf8")


class Chunk(dict[str, Any]):
    """A chunk as the upstream sent it, with the bytes of its event. A copy is a plain document."""

    __slots__ = ("frame",)
    frame: bytes


class Body(dict[str, Any]):
    """A whole answer as the upstream sent it, with its bytes. A copy is a plain document."""

    __slots__ = ("data",)
    data: bytes


def frame(document: Document) -> bytes:
    """The event of a chunk: the upstream's bytes, or compact JSON if it was edited."""
    return document.frame if isinstance(document, Chunk) else b"data: " + encoded(document) + b"\n\n"


def body(document: Document) -> bytes:
    """The bytes of a whole answer: the upstream's, or compact JSON if it was edited."""
    return document.data if isinstance(document, Body) else encoded(document)


def encoded(document: Document) -> bytes:
    """Compact JSON in UTF-8; a lone surrogate, which UTF-8 cannot encode, stays escaped.

    Raises UpstreamError if a number is infinite, because JSON has no infinity.
    """
    try:
        return _WRITE(document).encode()
    except UnicodeEncodeError:
        return _ESCAPE(document).encode()
    except ValueError:
        raise _unread("contains an infinite number") from None


def chunks(data: bytes, noted: Noted) -> list[Chunk]:
    """The objects in the data of one event, usually one; none if it is text that no client can parse.

    Raises UpstreamError for truncated JSON and for numbers that JSON lacks.
    """
    try:
        text = data.decode()
        value, end = _SCAN(text, 0)
    except (ValueError, StopIteration, RecursionError):
        return _odd(data, noted)
    if type(value) is not dict or end != len(text) or "\n" in text:
        return _odd(data, noted)
    chunk = Chunk(value)
    chunk.frame = b"data: " + data + b"\n\n"
    return [chunk]


def read_object(data: bytes | bytearray) -> Document | None:
    """The JSON object in these bytes; None if they are anything else."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _odd(data: bytes, noted: Noted) -> list[Chunk]:
    text = _decoded(data, noted).strip()
    values: list[object] = []
    while text:
        value, text = _next(text, noted)
        values += value if isinstance(value, list) else [value]
    if len(values) != 1 or not isinstance(values[0], dict):
        noted("stream.json")
    return [_chunk(value) for value in values if isinstance(value, dict)]


def _chunk(value: Document) -> Chunk:
    chunk = Chunk(value)
    chunk.frame = b"data: " + encoded(value) + b"\n\n"
    return chunk


def _next(text: str, noted: Noted) -> tuple[object, str]:
    """The next value of the text, and the text after it."""
    try:
        value, end = json.JSONDecoder(parse_constant=lambda name: constant(name, noted)).raw_decode(text)
    except RecursionError:
        raise _unread("is nested too deeply") from None
    except json.JSONDecodeError:
        if not text.startswith("{"):
            return None, ""  # plain text, such as a log line in the stream
        noted("stream.json")
        return _python(text), ""
    return value, text[end:].lstrip()


def _python(text: str) -> dict[str, Any]:
    """The dictionary in the output of Python's str()."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise _unread("is not JSON") from None
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise _unread("is not JSON")
    return value


def _decoded(data: bytes, noted: Noted) -> str:
    """The text as the standard decodes events: every client sees invalid UTF-8 as U+FFFD."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        noted("stream.utf8")
        return data.decode(errors="replace")


def constant(name: str, noted: Noted, rule: str = "stream.json") -> float | None:
    """-Infinity becomes the API's -9999.0, "very unlikely"; NaN becomes null; Infinity raises UpstreamError."""
    noted(rule)
    if name == "Infinity":
        raise _unread("contains Infinity, which is not a JSON number")
    return -9999.0 if name == "-Infinity" else None


def _refuse(_name: str) -> None:
    raise ValueError  # parsed again by the slower path


def _unread(what: str) -> UpstreamError:
    return UpstreamError(f"The upstream sent something that {what}: try again.", code="upstream_unreadable")


_SCAN: Final[Callable[[str, int], tuple[object, int]]] = vars(json.JSONDecoder(parse_constant=_refuse))[
    "scan_once"
]
_WRITE: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_ESCAPE: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
