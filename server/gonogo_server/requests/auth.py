"""The API key, where the server wants one."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from gonogo_server.errors import Unauthorized

if TYPE_CHECKING:
    from pydantic import SecretStr


def check_key(wanted: SecretStr | None, authorization: str | None) -> None:
    """Raise `Unauthorized` unless the Authorization header carries the wanted key; None wants none."""
    if wanted is None:
        return
    if not authorization:
        raise Unauthorized("No API key was sent: set Authorization to 'Bearer KEY'.", code="invalid_api_key")
    scheme, _, key = authorization.partition(" ")
    # In constant time, so that how long a refusal takes does not tell how much of a key was right.
    right = secrets.compare_digest(key.strip().encode(), wanted.get_secret_value().encode())
    if scheme.lower() != "bearer" or not right:
        raise Unauthorized(
            "The API key is not the one of this server: send its key as 'Bearer KEY'.", code="invalid_api_key"
        )
