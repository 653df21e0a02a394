"""The API key, if the server requires one."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

from gonogo_server.errors import Unauthorized

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_key(wanted: Sequence[str], authorization: str | None) -> None:
    """Raise `Unauthorized` unless the Authorization header has one of the wanted keys; without keys, all pass."""
    if not wanted:
        return
    if not authorization:
        raise Unauthorized("No API key was sent: set Authorization to 'Bearer KEY'.", code="invalid_api_key")
    scheme, _, key = authorization.partition(" ")
    sent = key.strip().encode()
    # All keys are compared in constant time, so the time of a refusal does not reveal how much of a key was right.
    right = sum(secrets.compare_digest(sent, each.encode()) for each in wanted)
    if scheme.lower() != "bearer" or not right:
        raise Unauthorized(
            "The API key is wrong: send the key of this server as 'Bearer KEY'.", code="invalid_api_key"
        )


def owner(authorization: str | None) -> str:
    """A name for the sender of this Authorization header that does not reveal the key; "" without a header."""
    if not authorization:
        return ""
    _, _, key = authorization.partition(" ")
    return sha256(key.strip().encode()).hexdigest()
