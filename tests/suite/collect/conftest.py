"""A server of raw bytes on loopback, and a recorder pointed at it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from gonogo.collect.recorder import MAX_BODY, Recorder
from gonogo.exchange import Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gonogo.exchange import Exchange
    from gonogo.redaction import OwnHeader
    from suite.collect.raw_answers import Behaviour

PATIENCE = 30.0  # seconds after which a hanging test is stopped; no test waits for this limit


@dataclass
class Wire:
    """Runs a recorder against a server with a given behaviour; `heads` are the received request heads."""

    heads: list[bytes] = field(default_factory=list)
    connections: int = 0

    def record(
        self,
        behave: Behaviour,
        request: Request | None = None,
        *,
        api_key: str | None = None,
        timeout: float = PATIENCE / 2,
        max_body: int = MAX_BODY,
        headers: tuple[OwnHeader, ...] = (),
        path: str = "",
    ) -> Exchange:
        """Record one exchange with a server that behaves like this; `path` ends the base URL."""

        async def run() -> Exchange:
            async with (
                self.serve(behave) as base_url,
                Recorder(
                    base_url + path, api_key=api_key, timeout=timeout, max_body=max_body, headers=headers
                ) as recorder,
            ):
                return await recorder.record(request or Request("GET", "/x"), id="x1", stimulus="test")

        return asyncio.run(asyncio.wait_for(run(), PATIENCE))

    def record_all(self, behave: Behaviour, *requests: Request, path: str = "") -> list[Exchange]:
        """Record several exchanges in sequence, with one recorder whose base URL ends with that path."""

        async def run() -> list[Exchange]:
            async with (
                self.serve(behave) as base_url,
                Recorder(base_url + path, timeout=PATIENCE / 2) as recorder,
            ):
                return [
                    await recorder.record(request, id=request.path, stimulus="test") for request in requests
                ]

        return asyncio.run(asyncio.wait_for(run(), PATIENCE))

    @contextlib.asynccontextmanager
    async def serve(self, behave: Behaviour) -> AsyncIterator[str]:
        """Listen on a free port of loopback; at the end, all connection handlers have finished."""
        handlers: list[asyncio.Task[object] | None] = []

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            handlers.append(asyncio.current_task())
            self.connections += 1
            with contextlib.suppress(ConnectionError, EOFError):
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
                await behave(reader, writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            await asyncio.gather(*[handler for handler in handlers if handler])


@pytest.fixture
def wire() -> Wire:
    return Wire()
