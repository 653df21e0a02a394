"""Redacts secrets before anything is stored: credentials, cookies, and every occurrence of the run's key."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gonogo.exchange import Chunk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from gonogo.exchange import Exchange, Headers

REDACTED = "[redacted]"

WRONG_KEY = "Bearer sk-gonogo-0f3c9a7e51d84b62"
"""An Authorization that is deliberately wrong, and therefore not a secret."""

_SECRET_FIELDS = frozenset(
    {"authorization", "proxy-authorization", "api-key", "x-api-key", "cookie", "set-cookie"}
)
_LEAST_KEY = 16  # a shorter key ("none", "ollama") is not a secret, and may be an ordinary word of an answer
_SECRET_NAME = re.compile(
    r"auth|key|token|secret|passw|pwd|cookie|credential|signature|session|^(?:sig|code)$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class OwnHeader:
    """A header that the run adds to every request; if `secret`, it is redacted in everything that is stored."""

    name: str
    value: str
    secret: bool

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts to redact if it is a secret: the value, and its part after a scheme such as "Bearer"."""
        return (self.value, self.value.rpartition(" ")[2]) if self.secret else ()


def looks_secret(name: str) -> bool:
    """Whether the name of a header or parameter suggests a credential."""
    return _SECRET_NAME.search(name) is not None


def redact(exchange: Exchange, *secrets: str | None, own: Iterable[OwnHeader] = ()) -> Exchange:
    """Return the exchange without secrets.

    Credentials and cookies in headers, except WRONG_KEY, and each literal secret in any request header, become
    "[redacted]", and so do the values of secret `own` headers. A secret of 16 characters or more, which cannot occur in
    an answer by chance, is redacted in the response's headers too. In the path and both bodies it is masked by the same
    number of "*", so that every byte keeps its offset.
    """
    known = [secret for secret in secrets if secret]
    taken = {(header.name.lower(), header.value) for header in own if header.secret}
    masks = [secret for secret in known if len(secret) >= _LEAST_KEY]
    request = exchange.request
    return replace(
        exchange,
        request=replace(
            request,
            path=_mask(request.path.encode(), masks).decode(),
            headers=_redact_headers(request.headers, known, taken),
            body=_mask(request.body, masks),
        ),
        headers=_redact_headers(exchange.headers, masks),
        chunks=_mask_chunks(exchange.chunks, masks),
    )


def redact_fields(fields: Mapping[str, object], key: str | None = None) -> Mapping[str, object]:
    """Return the fields of a JSON object with the literal `key` masked, as `redact` does in bodies."""
    if not key or len(key) < _LEAST_KEY:
        return fields
    masked: dict[str, object] = json.loads(json.dumps(fields).replace(json.dumps(key)[1:-1], "*" * len(key)))
    return masked


def _redact_headers(
    headers: Headers, secrets: Sequence[str], taken: Collection[tuple[str, str]] = ()
) -> Headers:
    return tuple(
        (name, REDACTED if (name.lower(), value) in taken else _redact_value(name, value, secrets))
        for name, value in headers
    )


def _redact_value(name: str, value: str, secrets: Sequence[str]) -> str:
    if name.lower() in _SECRET_FIELDS and value != WRONG_KEY:
        return REDACTED
    for secret in secrets:
        value = value.replace(secret, REDACTED)
    return value


def _mask(data: bytes, secrets: Sequence[str]) -> bytes:
    for secret in secrets:
        data = data.replace(secret.encode(), b"*" * len(secret.encode()))
    return data


def _mask_chunks(chunks: tuple[Chunk, ...], secrets: Sequence[str]) -> tuple[Chunk, ...]:
    """Mask across chunk boundaries too: an echoed key may arrive in several chunks."""
    body = b"".join(chunk.data for chunk in chunks)
    masked = _mask(body, secrets)
    if masked == body:
        return chunks
    pieces, start = [], 0
    for chunk in chunks:
        end = start + len(chunk.data)
        pieces.append(Chunk(chunk.at, masked[start:end]))
        start = end
    return tuple(pieces)
