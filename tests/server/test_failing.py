"""What clients see of a bug and of an engine that fails before its first piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.engine.scripted import Failure, ScriptedEngine
from gonogo_server.errors import EngineDied

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    import httpx2
    from gonogo_server.engine.base import Generation, Piece

    Check = Callable[[str, object], None]
    Refused = Callable[..., Awaitable[dict[str, Any]]]

pytestmark = pytest.mark.anyio

CHAT = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}]}


async def test_a_bug_is_a_500_without_internal_details(
    client: httpx2.AsyncClient,
    engine: ScriptedEngine,
    keeps_contract: Check,
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine.failure = Failure(0, ZeroDivisionError("secret"))
    response = await client.post("/chat/completions", json=CHAT)
    assert response.status_code == 500
    keeps_contract("ErrorEnvelope", response.json())
    assert response.json()["error"]["type"] == "server_error"
    assert "secret" not in response.text
    assert response.headers["x-should-retry"] == "false"
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("stream", [False, True])
async def test_an_engine_that_dies_before_the_first_piece_is_a_503(
    refused: Refused, engine: ScriptedEngine, *, stream: bool
) -> None:
    engine.failure = Failure(0, EngineDied("The engine died; start the server again."))
    error = await refused("/chat/completions", {**CHAT, "stream": stream}, 503)
    assert error["type"] == "service_unavailable_error"


class Silent(ScriptedEngine):
    """Ends its answers without a finish reason."""

    async def generate(self, model: str, generation: Generation) -> AsyncGenerator[Piece, None]:
        for piece in ():
            yield piece


@pytest.mark.parametrize("engine", [Silent()])
@pytest.mark.parametrize("stream", [False, True])
async def test_an_engine_that_ends_without_a_reason_is_a_500_and_not_an_empty_answer(
    refused: Refused, *, stream: bool
) -> None:
    error = await refused("/chat/completions", {**CHAT, "stream": stream}, 500)
    assert error["type"] == "server_error"


async def test_health_is_a_503_once_the_engine_is_dead(
    client: httpx2.AsyncClient, refused: Refused, engine: ScriptedEngine, keeps_contract: Check
) -> None:
    engine.die()
    response = await client.get("http://server/health")
    assert response.status_code == 503
    keeps_contract("ErrorEnvelope", response.json())
    assert response.json()["version"]
    error = await refused("/chat/completions", CHAT, 503)
    assert error["type"] == "service_unavailable_error"
