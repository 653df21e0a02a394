"""The time limit of a request: an error status before the first token, an error event after it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.settings import Settings

from .limits import FAR

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx2
    from server.operations.conftest import Logged

    from .limits import Limits

    Until = Callable[[Callable[[], object]], Awaitable[None]]

pytestmark = pytest.mark.anyio

CHAT = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}


class Gate:
    """Lets two tokens through; at the third, the time of the request is over."""

    def __init__(self, limits: Limits) -> None:
        self._left = 2
        self._limits = limits

    async def acquire(self) -> None:
        if self._left:
            self._left -= 1
            return
        self._limits.expire()
        await asyncio.Event().wait()


@pytest.fixture
def engine(limits: Limits) -> ScriptedEngine:
    return ScriptedEngine(gate=Gate(limits).acquire)


@pytest.fixture
def settings() -> Settings:
    return Settings(request_timeout=FAR)


async def test_an_answer_that_takes_too_long_is_a_503_with_the_limit(
    live: httpx2.AsyncClient,
    engine: ScriptedEngine,
    until: Until,
    keeps_contract: Callable[[str, object], None],
    logged: Logged,
) -> None:
    response = await live.post("/chat/completions", json=CHAT)
    assert response.status_code == 503
    keeps_contract("ErrorEnvelope", response.json())
    error = response.json()["error"]
    assert (error["type"], error["code"]) == ("service_unavailable_error", "request_timeout")
    assert "within 600 seconds" in error["message"]
    assert response.headers["x-should-retry"] == "false"
    assert response.headers["x-request-id"]
    assert engine.running == 0
    assert logged.of(response.headers["x-request-id"])[-1]["error"] == "request_timeout"


async def test_a_stream_that_takes_too_long_ends_with_an_error_event(
    live: httpx2.AsyncClient, engine: ScriptedEngine, logged: Logged
) -> None:
    response = await live.post("/chat/completions", json={**CHAT, "stream": True})
    assert response.status_code == 200
    *chunks, last = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    assert json.loads(last)["error"]["code"] == "request_timeout"
    assert all(json.loads(chunk)["choices"][0]["finish_reason"] is None for chunk in chunks)
    assert "[DONE]" not in response.text
    assert engine.running == 0
    failed = logged.named("stream_failed")[0]
    assert (failed["error"], failed["level"]) == ("request_timeout", "warning")


@pytest.mark.parametrize("engine", [ScriptedEngine()])
@pytest.mark.parametrize("settings", [Settings(request_timeout=600), Settings()], ids=["far", "none"])
@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_in_time_is_as_ever(live: httpx2.AsyncClient, *, stream: bool) -> None:
    response = await live.post("/chat/completions", json={**CHAT, "stream": stream})
    assert response.status_code == 200
    assert response.text.endswith("data: [DONE]\n\n") is stream


async def test_a_timeout_inside_of_the_server_is_a_bug_and_not_the_deadline(
    live: httpx2.AsyncClient, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def encode(_model: str, _text: str) -> tuple[int, ...]:
        raise TimeoutError

    monkeypatch.setattr(engine, "encode", encode)
    response = await live.post("/chat/completions", json=CHAT)
    assert (response.status_code, response.json()["error"]["code"]) == (500, "internal_error")
