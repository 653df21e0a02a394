"""Secrets are taken out before anything is stored: credentials, cookies, and the key of the run wherever it stands."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from gonogo.exchange import Chunk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange, Headers

REDACTED = "[redacted]"

WRONG_KEY = "Bearer sk-gonogo-0f3c9a7e51d84b62"
"""An Authorization that opens nothing, and is no secret: it is sent to be refused."""

_SECRET_FIELDS = frozenset(
    {"authorization", "proxy-authorization", "api-key", "x-api-key", "cookie", "set-cookie"}
)
_LEAST_KEY = 16  # a shorter key ("none", "ollama") is no secret, and may be a word of an honest answer


def redact(exchange: Exchange, key: str | None = None) -> Exchange:
    """Get the exchange without secrets.

    Credentials and cookies in headers, but for WRONG_KEY, and the literal `key` in any request header, become
    "[redacted]". A key of 16 characters or more, which no honest answer holds by chance, is redacted in the
    response's headers too, and in the path and both bodies masked by as many "*", so that every byte keeps its
    offset.
    """
    mask = key if key and len(key) >= _LEAST_KEY else None
    request = exchange.request
    return replace(
        exchange,
        request=replace(
            request,
            path=request.path.replace(mask, "*" * len(mask)) if mask else request.path,
            headers=_redact_headers(request.headers, key),
            body=_mask(request.body, mask),
        ),
        headers=_redact_headers(exchange.headers, mask),
        chunks=_mask_chunks(exchange.chunks, mask),
    )


def redact_fields(fields: Mapping[str, object], key: str | None = None) -> Mapping[str, object]:
    """Get the fields of a JSON object with the literal `key` masked, as `redact` does it in bodies."""
    if not key or len(key) < _LEAST_KEY:
        return fields
    masked: dict[str, object] = json.loads(json.dumps(fields).replace(json.dumps(key)[1:-1], "*" * len(key)))
    return masked


def _redact_headers(headers: Headers, key: str | None) -> Headers:
    return tuple((name, _redact_value(name, value, key)) for name, value in headers)


def _redact_value(name: str, value: str, key: str | None) -> str:
    if name.lower() in _SECRET_FIELDS and value != WRONG_KEY:
        return REDACTED
    return value.replace(key, REDACTED) if key else value


def _mask(data: bytes, key: str | None) -> bytes:
    return data.replace(key.encode(), b"*" * len(key.encode())) if key else data


def _mask_chunks(chunks: tuple[Chunk, ...], key: str | None) -> tuple[Chunk, ...]:
    """Mask across the borders of chunks too: an echoed key may arrive in pieces."""
    body = b"".join(chunk.data for chunk in chunks)
    masked = _mask(body, key)
    if masked == body:
        return chunks
    pieces, start = [], 0
    for chunk in chunks:
        end = start + len(chunk.data)
        pieces.append(Chunk(chunk.at, masked[start:end]))
        start = end
    return tuple(pieces)
