"""Messages that wait for the engine, and clients that leave before the end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import pytest
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.settings import Settings
from server.conftest import until

if TYPE_CHECKING:
    import httpx2

pytestmark = pytest.mark.anyio

BODY: Final[dict[str, Any]] = {
    "model": "scripted",
    "max_tokens": 64,
    "messages": [{"role": "user", "content": "Hi"}],
}


class TestWaiting:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(early_headers=0.001)

    @pytest.fixture
    def engine(self, gate: asyncio.Semaphore) -> ScriptedEngine:
        return ScriptedEngine(gate=gate.acquire)

    async def test_a_stream_that_waits_has_begun_and_pings(
        self, live: httpx2.AsyncClient, gate: asyncio.Semaphore
    ) -> None:
        async with live.stream("POST", "/messages", json=BODY | {"stream": True}) as response:
            names = (line async for line in response.aiter_lines() if line.startswith("event: "))
            assert await anext(names) == "event: message_start"
            assert await anext(names) == "event: ping"
            for _ in range(100):
                gate.release()
            rest = [name async for name in names]
        assert "event: message_start" not in rest
        assert rest[-1] == "event: message_stop"


class TestLeaving:
    @pytest.fixture
    def engine(self, gate: asyncio.Semaphore) -> ScriptedEngine:
        return ScriptedEngine(gate=gate.acquire)

    async def test_a_client_that_leaves_in_the_middle_of_a_stream_stops_the_generation(
        self, live: httpx2.AsyncClient, engine: ScriptedEngine, gate: asyncio.Semaphore
    ) -> None:
        gate.release()
        async with live.stream("POST", "/messages", json=BODY | {"stream": True}) as response:
            lines = (line async for line in response.aiter_lines() if line.startswith("event: "))
            assert await anext(lines) == "event: message_start"
            assert engine.running == 1
        await until(lambda: engine.running == 0)

    @pytest.mark.parametrize("stream", [True, False])
    async def test_a_client_that_leaves_before_the_first_token_stops_the_generation(
        self, live: httpx2.AsyncClient, engine: ScriptedEngine, *, stream: bool
    ) -> None:
        asking = asyncio.create_task(live.post("/messages", json=BODY | {"stream": stream}))
        await until(lambda: engine.running == 1)
        asking.cancel()
        await until(lambda: engine.running == 0)
        assert asking.cancelled()
