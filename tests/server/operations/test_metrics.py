"""The metrics at /metrics: off by default, protected by the key, and what each of them counts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from gonogo_server.settings import Settings
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx2
    from gonogo_server.engine.scripted import ScriptedEngine

    Until = Callable[[Callable[[], object]], Awaitable[None]]

pytestmark = pytest.mark.anyio

MEASURED = pytest.mark.parametrize("settings", [Settings(metrics=True)])
CHAT = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}
PROMPT_TOKENS = len("user: Hi\nassistant: ") + 1


async def figures(client: httpx2.AsyncClient) -> Callable[..., float | None]:
    """Reads one metric by its name and labels; None if it does not exist."""
    response = await client.get(client.base_url.join("/metrics"))
    assert response.status_code == 200
    samples = [s for family in text_string_to_metric_families(response.text) for s in family.samples]
    found = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}
    return lambda name, **labels: found.get((name, tuple(sorted(labels.items()))))


async def test_there_are_none_unless_they_are_asked_for(client: httpx2.AsyncClient) -> None:
    response = await client.get("http://server/metrics")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "unknown_url")


@pytest.mark.parametrize("settings", [Settings(metrics=True, api_key="s3cret")])
async def test_they_take_the_key_like_the_api(client: httpx2.AsyncClient) -> None:
    assert (await client.get("http://server/metrics")).status_code == 401
    headers = {"authorization": "Bearer s3cret"}
    response = await client.get("http://server/metrics", headers=headers)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")


@MEASURED
async def test_requests_are_counted_by_operation_and_status(client: httpx2.AsyncClient) -> None:
    for _ in range(2):
        await client.post("/chat/completions", json=CHAT)
    await client.post("/chat/completions", json={**CHAT, "max_tokens": -1})
    await client.get("/nothing")
    read = await figures(client)
    assert read("gonogo_requests_total", operation="create_chat_completion", status="200") == 2
    assert read("gonogo_requests_total", operation="create_chat_completion", status="400") == 1
    assert read("gonogo_requests_total", operation="other", status="404") == 1
    assert read("gonogo_request_seconds_count", operation="create_chat_completion") == 3


@MEASURED
@pytest.mark.parametrize("stream", [False, True])
async def test_tokens_and_their_times_are_counted(live: httpx2.AsyncClient, *, stream: bool) -> None:
    for _ in range(2):
        await live.post("/chat/completions", json={**CHAT, "stream": stream})
    read = await figures(live)
    assert read("gonogo_tokens_total", kind="prompt") == 2 * PROMPT_TOKENS
    assert read("gonogo_tokens_total", kind="completion") == 10
    cached = read("gonogo_tokens_total", kind="cached")
    assert cached is not None
    assert 0 < cached <= PROMPT_TOKENS
    assert read("gonogo_first_token_seconds_count") == 2
    assert read("gonogo_between_tokens_seconds_count") == 2 * 4


@MEASURED
async def test_running_and_waiting_requests_are_counted_live(
    live: httpx2.AsyncClient, engine: ScriptedEngine, until: Until
) -> None:
    gate = asyncio.Semaphore(0)
    engine._gate = gate.acquire
    asking = [asyncio.create_task(live.post("/chat/completions", json=CHAT)) for _ in range(2)]
    await until(lambda: engine.running == 2)
    read = await figures(live)
    assert (read("gonogo_requests_open"), read("gonogo_generations_waiting")) == (2, 2)
    gate.release()
    await until(lambda: gate.locked() and len(engine.generations) == 2)
    asking[0].cancel()
    asking[1].cancel()
    await until(lambda: engine.running == 0)
    read = await figures(live)
    assert (read("gonogo_requests_open"), read("gonogo_generations_waiting")) == (0, 0)
    assert read("gonogo_requests_total", operation="create_chat_completion", status="499") == 2


@MEASURED
async def test_the_state_of_the_engine_is_shown(client: httpx2.AsyncClient, engine: ScriptedEngine) -> None:
    read = await figures(client)
    assert (read("gonogo_models_loaded"), read("gonogo_engine_alive")) == (2, 1)
    engine.die()
    assert (await figures(client))("gonogo_engine_alive") == 0


@MEASURED
async def test_no_label_holds_what_a_client_sends(client: httpx2.AsyncClient) -> None:
    await client.post("/chat/completions", json={**CHAT, "model": "told-by-a-client"})
    await client.get("/told-by-a-client")
    assert "told-by-a-client" not in (await client.get("http://server/metrics")).text


@MEASURED
async def test_two_servers_in_one_process_count_apart(
    client: httpx2.AsyncClient, live: httpx2.AsyncClient
) -> None:
    await client.post("/chat/completions", json=CHAT)
    assert (await figures(live))("gonogo_tokens_total", kind="prompt") is None
