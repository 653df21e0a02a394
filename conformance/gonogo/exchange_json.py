"""An exchange as a line of an evidence file; `gonogo.evidence` documents the fields."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from dataclasses import asdict
from typing import Any

import jsonschema_rs

from gonogo.exchange import Chunk, Exchange, Failure, FailureKind, Headers, Request

MOST_PLAIN = 64 * 2**10
"""The largest body kept as text. Larger ones are packed, not truncated: rules compare every number of a vector."""
MOST_PACKED = 64 * 2**20
"""The maximum size of an unpacked body: four times the recorder's limit."""


def to_json(exchange: Exchange) -> dict[str, Any]:
    """The exchange as a line of an evidence file; secrets are not redacted here."""
    request = exchange.request
    return {
        "id": exchange.id,
        "stimulus": exchange.stimulus,
        "request": {
            "method": request.method,
            "path": request.path,
            "headers": request.headers,
            "body": _data_to_json(request.body),
        },
        "status": exchange.status,
        "headers": exchange.headers,
        "chunks": _chunks_to_json(exchange.chunks),
        "failure": asdict(exchange.failure) if exchange.failure else None,
        "seconds": exchange.seconds,
        **{name: value for name in _OPTIONAL if (value := getattr(exchange, name)) is not None},
    }


def _data_to_json(data: bytes) -> str | dict[str, str]:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(data).decode()}


def from_json(line: dict[str, Any]) -> Exchange:
    """The exchange from a line that `to_json` made."""
    request, failure = line["request"], line["failure"]
    return Exchange(
        id=line["id"],
        stimulus=line["stimulus"],
        request=Request(
            request["method"],
            request["path"],
            _headers_from_json(request["headers"]),
            _data_from_json(request["body"]),
        ),
        status=line["status"],
        headers=_headers_from_json(line["headers"]),
        chunks=_chunks_from_json(line["chunks"]),
        failure=Failure(FailureKind(failure["kind"]), failure["at"], failure["message"]) if failure else None,
        seconds=line["seconds"],
        **{name: line.get(name) for name in _OPTIONAL},
    )


def _chunks_to_json(chunks: tuple[Chunk, ...]) -> list[list[Any]] | dict[str, Any]:
    if sum(len(chunk.data) for chunk in chunks) <= MOST_PLAIN:
        return [[chunk.at, _data_to_json(chunk.data)] for chunk in chunks]
    packed = zlib.compress(b"".join(chunk.data for chunk in chunks))
    return {
        "zlib": b64encode(packed).decode(),
        "pieces": [[chunk.at, len(chunk.data)] for chunk in chunks],
    }


def _chunks_from_json(chunks: list[list[Any]] | dict[str, Any]) -> tuple[Chunk, ...]:
    """Raises ValueError if a packed body does not match its pieces."""
    if isinstance(chunks, list):
        return tuple(Chunk(at, _data_from_json(data)) for at, data in chunks)
    size = sum(length for _, length in chunks["pieces"])
    if size > MOST_PACKED:
        raise ValueError(f"chunks: {size} bytes are more than a body has")
    try:
        unpacking = zlib.decompressobj()
        body = unpacking.decompress(b64decode(chunks["zlib"]), size + 1)
    except zlib.error as error:
        raise ValueError(f"chunks: {error}") from error
    if len(body) != size or not unpacking.eof:
        raise ValueError("chunks: the packed body has not the length of its pieces")
    found, start = [], 0
    for at, length in chunks["pieces"]:
        found.append(Chunk(at, body[start : start + length]))
        start += length
    return tuple(found)


def _headers_from_json(headers: list[list[str]]) -> Headers:
    return tuple((name, value) for name, value in headers)


def _data_from_json(data: str | dict[str, str]) -> bytes:
    return data.encode() if isinstance(data, str) else b64decode(data["base64"])


def shape_of(line: object) -> jsonschema_rs.Validator:
    """The JSON Schema of an exchange line, with a packed or a plain body."""
    packed = isinstance(line, dict) and isinstance(line.get("chunks"), dict)
    return _PACKED if packed else _PLAIN


def _object(**properties: object) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _pieces(last: object) -> dict[str, object]:
    """The schema of pairs of seconds and another value."""
    pair = {"type": "array", "prefixItems": [_SECONDS, last], "minItems": 2, "maxItems": 2}
    return {"type": "array", "items": pair}


def _exchange(chunks: object) -> jsonschema_rs.Validator:
    failure = _object(kind={"enum": [kind.value for kind in FailureKind]}, at=_SECONDS, message=_STRING)
    exchange = _object(
        id=_STRING,
        stimulus=_STRING,
        request=_object(method=_STRING, path=_STRING, headers=_HEADERS, body=_DATA),
        status={"type": ["integer", "null"]},
        headers=_HEADERS,
        chunks=chunks,
        failure={"anyOf": [{"type": "null"}, failure]},
        seconds=_SECONDS,
    )
    exchange["properties"] |= _OPTIONAL
    return jsonschema_rs.validator_for(exchange)


_STRING = {"type": "string"}
_SECONDS = {"type": "number"}
_OPTIONAL = {"model": _STRING, "sent": _SECONDS, "hung_up": {"type": "boolean"}}
"""Fields that are omitted from a line if they are None, and are absent in older files."""
_HEADERS = {
    "type": "array",
    "items": {"type": "array", "items": _STRING, "minItems": 2, "maxItems": 2},
}
_BASE64 = {"type": "string", "pattern": "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"}
_DATA = {"anyOf": [_STRING, _object(base64=_BASE64)]}

_PLAIN = _exchange(_pieces(_DATA))
_PACKED = _exchange(_object(zlib=_BASE64, pieces=_pieces({"type": "integer", "minimum": 0})))
