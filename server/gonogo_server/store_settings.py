"""Where responses are stored, how many, and for how long."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import ByteSize, Field
from pydantic_settings import BaseSettings

from gonogo_server.setting_types import Count, Seconds, SomeBytes  # noqa: TC001 - pydantic reads them

MEMORY: Final = "memory"
"""In place of a file: the store ends with the process."""
DAYS: Final = 24 * 60 * 60


class StoreSettings(BaseSettings):
    """The store of responses, for `GET`, `DELETE` and `previous_response_id`."""

    responses_store: Annotated[str, Field(min_length=1)] | None = None
    """An SQLite file for responses, or `memory`; None: no response is stored."""

    responses_store_seconds: Seconds = 30 * DAYS
    """A response is deleted so many seconds after it was made or last continued."""

    responses_store_count: Count = 10_000
    """The most responses; beyond it the least recently made or continued are deleted."""

    responses_store_bytes: SomeBytes = ByteSize(256 * 1024**2)
    """Their size, inputs included; beyond it the same are deleted."""
