"""A stream begins before a late first token, so that clients and proxies do not time out."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from gonogo_server.engine.scripted import Failure, ScriptedEngine
from gonogo_server.errors import EngineDied, Overloaded
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

pytestmark = pytest.mark.anyio

CHAT = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}], "stream": True, "max_tokens": 2}
TEXT = {"model": "scripted", "prompt": "Hi", "stream": True, "max_tokens": 2}
OPERATIONS = [("/chat/completions", CHAT), ("/completions", TEXT)]
SOON = pytest.mark.parametrize(
    "settings", [Settings(early_headers=0), Settings(early_headers=0.01)], ids=repr
)


@pytest.fixture
def engine(gate: asyncio.Semaphore) -> ScriptedEngine:
    return ScriptedEngine(gate=gate.acquire)


@SOON
@pytest.mark.parametrize(("path", "body"), OPERATIONS)
async def test_the_head_and_a_comment_come_before_the_first_token(
    live: httpx2.AsyncClient, gate: asyncio.Semaphore, path: str, body: dict[str, object]
) -> None:
    async with live.stream("POST", path, json=body) as response:
        assert response.status_code == 200
        lines = response.aiter_lines()
        assert (await anext(lines)).startswith(": ")
        gate.release()
        gate.release()
        rest = [line async for line in lines if line and not line.startswith(":")]
    assert rest[-1] == "data: [DONE]"
    assert all(line.startswith("data: {") for line in rest[:-1])


@pytest.mark.parametrize("settings", [Settings(early_headers=0.01)])
async def test_comments_come_as_long_as_there_is_no_token(
    live: httpx2.AsyncClient, gate: asyncio.Semaphore
) -> None:
    async with live.stream("POST", "/completions", json=TEXT) as response:
        lines = response.aiter_lines()
        comments = [await anext(lines) for _ in range(6)]
        assert set(comments) == {": waiting for the first token", ""}
        gate.release()
        gate.release()
        assert "data: [DONE]" in [line async for line in lines]


@SOON
async def test_a_failure_after_the_head_is_the_last_event(
    live: httpx2.AsyncClient,
    engine: ScriptedEngine,
    gate: asyncio.Semaphore,
    keeps_contract: Callable[[str, object], None],
) -> None:
    engine.failure = Failure(0, Overloaded("Too many wait."))
    async with live.stream("POST", "/completions", json=TEXT) as response:
        assert response.status_code == 200
        lines = response.aiter_lines()
        await anext(lines)
        gate.release()
        [event] = [line async for line in lines if line.startswith("data: ")]
    keeps_contract("ErrorEnvelope", json.loads(event.removeprefix("data: ")))
    assert json.loads(event.removeprefix("data: "))["error"]["code"] == "slow_down"


@pytest.mark.parametrize("settings", [Settings(), Settings(early_headers=None)], ids=repr)
async def test_a_failure_before_the_head_keeps_its_status(
    live: httpx2.AsyncClient, engine: ScriptedEngine, gate: asyncio.Semaphore
) -> None:
    engine.failure = Failure(0, EngineDied("It died."))
    gate.release()
    assert (await live.post("/completions", json=TEXT)).status_code == 503


@pytest.mark.parametrize("settings", [Settings(early_headers=0)])
async def test_a_refusal_keeps_its_status_with_early_headers(live: httpx2.AsyncClient) -> None:
    assert (await live.post("/completions", json={**TEXT, "prompt": "x" * 5000})).status_code == 400


@SOON
async def test_a_client_that_disconnects_before_the_first_token_stops_the_generation(
    live: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    async with live.stream("POST", "/completions", json=TEXT) as response:
        await anext(response.aiter_lines())
        assert engine.running == 1
    while engine.running:  # noqa: ASYNC110 - the condition has no event; the server's fixture bounds the wait
        await asyncio.sleep(0)
