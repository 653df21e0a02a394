"""Where responses are stored, how many, and for how long."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import ByteSize, Field
from pydantic_settings import BaseSettings

from gonogo_server.setting_types import Count, Seconds, SomeBytes  # noqa: TC001 - pydantic reads them

MEMORY: Final = "memory"
"""The value for a store in memory, which ends with the process."""
DAYS: Final = 24 * 60 * 60


class StoreSettings(BaseSettings):
    """The store of responses, for `GET`, `DELETE` and `previous_response_id`."""

    responses_store: Annotated[str, Field(min_length=1)] | None = None
    """An SQLite file for responses, or `memory`; None: no response is stored."""

    responses_store_seconds: Seconds = 30 * DAYS
    """Time after which a response that was not continued is deleted."""

    responses_store_count: Count = 10_000
    """Maximum number of responses; beyond it the least recently saved or continued are deleted."""

    responses_store_bytes: SomeBytes = ByteSize(256 * 1024**2)
    """Maximum size of all responses, including their inputs; beyond it the same are deleted."""
