"""Shared by the lanes of the official Python SDKs: a recorded answer goes through the SDK's own transport."""

from __future__ import annotations

import functools
import warnings
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar

from gonogo.clients.breakage import Breakage, Client
from gonogo.clients.recording import headers, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    import httpx2

    from gonogo.exchange import Exchange

    Reader = Callable[[Exchange], Breakage | None]
    Transport = httpx2.Client

Sdk = TypeVar("Sdk", bound=AbstractContextManager[Any])


def reader_of(
    name: str, require: Callable[[], ModuleType], connect: Callable[[Transport], Sdk]
) -> Callable[[Callable[[Sdk, Exchange], Iterator[str]]], Reader]:
    """Make a reader from a lane, the lines that an application runs with the SDK.

    `require` imports the SDK or raises NotInstalled; `connect` makes its client, which uses the given transport. A lane
    runs once for each exchange.
    """

    def reader(lane: Callable[[Sdk, Exchange], Iterator[str]]) -> Reader:
        @functools.lru_cache(maxsize=4096)
        @functools.wraps(lane)
        def read(exchange: Exchange) -> Breakage | None:
            client = Client(name, require().__version__)
            with connect(_replaying(exchange)) as sdk, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pydantic warns about types that the SDK does not check
                return client.play(lane(sdk, exchange))

        return read

    return reader


def _replaying(exchange: Exchange) -> Transport:
    """A transport that returns this answer and nothing else."""
    import httpx2  # noqa: PLC0415 - imported only if an SDK is used

    def answer(_: httpx2.Request) -> httpx2.Response:
        assert exchange.status is not None
        return httpx2.Response(exchange.status, headers=headers(exchange), content=pieces(exchange))

    return httpx2.Client(transport=httpx2.MockTransport(answer), trust_env=False)
