"""The API key, if the server requires one."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import TYPE_CHECKING

from gonogo_server.errors import Unauthorized

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_key(wanted: Sequence[str], authorization: str | None) -> None:
    """Raise `Unauthorized` unless the Authorization header carries one of the wanted keys; none wants none."""
    if not wanted:
        return
    if not authorization:
        raise Unauthorized("No API key was sent: set Authorization to 'Bearer KEY'.", code="invalid_api_key")
    scheme, _, key = authorization.partition(" ")
    sent = key.strip().encode()
    # In constant time, and all of them: how long a refusal takes does not tell how much of a key was right.
    right = sum(secrets.compare_digest(sent, each.encode()) for each in wanted)
    if scheme.lower() != "bearer" or not right:
        raise Unauthorized(
            "The API key is wrong: send the key of this server as 'Bearer KEY'.", code="invalid_api_key"
        )


def owner(authorization: str | None) -> str:
    """A name for whoever sends this Authorization header, which does not tell the key; "" if there is none."""
    if not authorization:
        return ""
    _, _, key = authorization.partition(" ")
    return sha256(key.strip().encode()).hexdigest()
