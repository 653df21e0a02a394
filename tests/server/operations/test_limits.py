"""Limits for requests: bodies that are too large, never end, or are nested too deeply; too many requests."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.errors import BodyTooLarge
from gonogo_server.routes import dependencies
from gonogo_server.settings import Settings
from gonogo_server.traffic import Traffic
from starlette.requests import Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx2
    from starlette.types import Message

    Until = Callable[[Callable[[], object]], Awaitable[None]]

pytestmark = pytest.mark.anyio

MIB = 1024**2
JSON = {"content-type": "application/json"}


def sized(size: int) -> bytes:
    body = json.dumps({"model": "scripted", "prompt": "Hi", "max_tokens": 1}).encode()
    return body + b" " * (size - len(body))


def nested(depth: int) -> bytes:
    """A completion whose deepest container is this many levels down, including the body itself."""
    prompt = "[" * (depth - 1) + "]" * (depth - 1)
    return f'{{"model": "scripted", "prompt": {prompt}}}'.encode()


@pytest.mark.parametrize("settings", [Settings(max_body_bytes=MIB)])
@pytest.mark.parametrize(("size", "status"), [(MIB - 1, 200), (MIB, 200), (MIB + 1, 413), (2 * MIB, 413)])
async def test_a_body_is_taken_up_to_the_limit(live: httpx2.AsyncClient, size: int, status: int) -> None:
    response = await live.post("/completions", content=sized(size), headers=JSON)
    assert response.status_code == status, response.text
    if status == 413:
        assert response.json()["error"]["code"] == "request_too_large"


@pytest.mark.parametrize("settings", [Settings(max_body_bytes=MIB)])
async def test_a_body_that_never_ends_is_answered(live: httpx2.AsyncClient) -> None:
    assert live.base_url.port
    reader, writer = await asyncio.open_connection(live.base_url.host, live.base_url.port)
    head = "POST /v1/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    writer.write(f"{head}content-length: {10**12}\r\n\r\n".encode())
    answering = asyncio.create_task(reader.readline())
    sent = 0
    drains: list[asyncio.Future[None]] = []
    while not answering.done():
        writer.write(b" " * 65536)
        sent += 65536
        drains.append(asyncio.ensure_future(writer.drain()))
        await asyncio.wait((drains[-1], answering), return_when="FIRST_COMPLETED")
    assert (await answering).startswith(b"HTTP/1.1 413")
    assert sent < 20 * MIB
    writer.close()
    await asyncio.gather(*drains, return_exceptions=True)  # the server may be gone before the last one ends


async def test_nothing_of_a_body_past_the_limit_is_kept() -> None:
    parts = [b" " * 65536] * 64  # one object, so that the body takes no memory itself
    messages = iter([{"type": "http.request", "body": part, "more_body": True} for part in parts])

    async def receive() -> Message:
        return next(messages)

    app = SimpleNamespace(state=SimpleNamespace(traffic=Traffic()))
    request, settings = Request({"type": "http", "app": app}, receive), Settings(max_body_bytes=MIB // 2)
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge):
            await dependencies._read(request, settings)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # A growing bytearray takes an eighth more than its content, and is then copied.
    assert MIB // 2 < peak < 3 * MIB // 2


@pytest.mark.parametrize("settings", [Settings(max_json_depth=5)])
@pytest.mark.parametrize(
    ("depth", "code"), [(4, None), (5, None), (6, "json_too_deep"), (5000, "json_too_deep")]
)
async def test_a_body_may_be_nested_up_to_the_limit(
    client: httpx2.AsyncClient, keeps_contract: Callable[[str, object], None], depth: int, code: str | None
) -> None:
    response = await client.post("/completions", content=nested(depth), headers=JSON)
    # A nested prompt is refused in any case; the error shows whether the depth was accepted.
    assert response.status_code == 400
    keeps_contract("ErrorEnvelope", response.json())
    assert (response.json()["error"]["code"] == "json_too_deep") is (code is not None)


class TestWithAGatedEngine:
    """A server that accepts two requests at a time, one of which is queued."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(max_running=1, max_queue=1)

    @pytest.fixture
    def engine(self, gate: asyncio.Semaphore) -> ScriptedEngine:
        return ScriptedEngine(gate=gate.acquire)

    @pytest.mark.parametrize("stream", [False, True])
    async def test_past_the_queue_a_request_is_a_429_at_once_and_the_others_are_answered(
        self,
        live: httpx2.AsyncClient,
        engine: ScriptedEngine,
        gate: asyncio.Semaphore,
        keeps_contract: Callable[[str, object], None],
        until: Until,
        *,
        stream: bool,
    ) -> None:
        body = {"model": "scripted", "prompt": "Hi", "max_tokens": 1, "stream": stream}
        taken = [asyncio.create_task(live.post("/completions", json=body)) for _ in range(2)]
        await until(lambda: engine.running == 2)
        refused = await live.post("/completions", json=body)
        assert refused.status_code == 429
        keeps_contract("ErrorEnvelope", refused.json())
        assert refused.json()["error"]["type"] == "rate_limit_error"
        assert int(refused.headers["retry-after"]) >= 1
        assert (await live.get("/models")).status_code == 200
        for _ in range(3):
            gate.release()
        assert [response.status_code for response in await asyncio.gather(*taken)] == [200, 200]
        assert (await live.post("/completions", json=body)).status_code == 200
