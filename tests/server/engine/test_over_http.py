"""What clients see of the engine on MLX when it is full, fails or loads: tiny models behind a server on loopback."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.engine.mlx.engine import Budget
from gonogo_server.engine.mlx.packed.generator import PackedGenerator
from gonogo_server.engine.mlx.residents import Limits
from gonogo_server.settings import Settings
from server.conftest import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import httpx2
    from gonogo_server.engine.mlx.engine import MlxEngine

    Open = Callable[..., MlxEngine]
    Body = dict[str, Any]
    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio

SHORT = {"model": "endless", "prompt": "Hi", "max_tokens": 3}
ENDLESS = {**SHORT, "max_tokens": 100_000, "logit_bias": {"256": -100}, "stream": True}
"""The end token is forbidden."""


async def events(lines: AsyncIterator[str]) -> list[str]:
    return [line.removeprefix("data: ") async for line in lines if line]


class TestWithOnePlace:
    """A server that answers one request at a time and lets one wait."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(max_running=1, max_queue=1)

    @pytest.fixture
    def engine(self, open_model: Open, endless_folder: Path) -> MlxEngine:
        return open_model(endless_folder, limits=Limits(sequences=1))

    async def test_a_disconnect_frees_the_place_for_a_waiting_request(
        self, live: httpx2.AsyncClient, engine: MlxEngine
    ) -> None:
        async with live.stream("POST", "/completions", json=ENDLESS) as response:
            lines = response.aiter_lines()
            await anext(lines)
            waiting = asyncio.create_task(live.post("/completions", json=SHORT))
            await until(lambda: engine.unfinished == 2)
            assert (await live.post("/completions", json=SHORT)).status_code == 429
            assert not waiting.done()
        assert (await waiting).json()["usage"]["completion_tokens"] <= 3
        await until(lambda: engine.unfinished == 0)

    async def test_health_and_models_are_answered_while_an_answer_is_generated(
        self, live: httpx2.AsyncClient, engine: MlxEngine
    ) -> None:
        async with live.stream("POST", "/completions", json=ENDLESS) as response:
            lines = response.aiter_lines()
            await anext(lines)
            probed = [await live.get(path) for path in ("/models", str(live.base_url.join("/health")))]
            assert engine.unfinished == 1
        assert [response.status_code for response in probed] == [200, 200]

    async def test_a_dying_thread_ends_streams_and_waiting_requests_with_an_error(
        self,
        live: httpx2.AsyncClient,
        engine: MlxEngine,
        keeps_contract: Check,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def die(_: PackedGenerator) -> None:
            raise SystemExit("out of order")

        async with live.stream("POST", "/completions", json=ENDLESS) as response:
            first = json.loads((await anext(lines := response.aiter_lines())).removeprefix("data: "))
            waiting = asyncio.create_task(live.post("/completions", json=SHORT))
            await until(lambda: engine.unfinished == 2)
            monkeypatch.setattr(PackedGenerator, "next", die)
            *chunks, last = map(json.loads, await events(lines))
        keeps_contract("ErrorEnvelope", last)
        assert last["error"]["code"] == "engine_died"
        assert {chunk["choices"][0]["finish_reason"] for chunk in (first, *chunks)} == {None}
        for failed in (await waiting, await live.post("/completions", json=SHORT)):
            assert failed.status_code == 503
            keeps_contract("ErrorEnvelope", failed.json())
        assert (await live.get(str(live.base_url.join("/health")))).status_code == 503


class TestWithModelsOnDemand:
    """Two models, neither in memory, one of which cannot be loaded."""

    @pytest.fixture
    def engine(self, open_model: Open, endless_folder: Path, tiny_folder: Path) -> MlxEngine:
        (tiny_folder / "model.safetensors").write_bytes(b"not weights")
        return open_model(endless_folder, tiny_folder, budget=Budget(preload=()))

    async def loaded(self, client: httpx2.AsyncClient) -> dict[str, bool]:
        return {model["id"]: model["loaded"] for model in (await client.get("/models")).json()["data"]}

    async def test_a_model_that_does_not_load_is_an_error_with_the_reason_and_the_other_is_answered(
        self, live: httpx2.AsyncClient, keeps_contract: Check
    ) -> None:
        assert await self.loaded(live) == {"endless": False, "tiny-llama": False}
        broken, whole = await asyncio.gather(
            live.post("/completions", json={**SHORT, "model": "tiny-llama"}),
            live.post("/completions", json=SHORT),
        )
        assert broken.status_code == 503
        keeps_contract("ErrorEnvelope", broken.json())
        assert broken.json()["error"]["code"] == "model_unavailable"
        assert broken.json()["error"]["message"].startswith("The model tiny-llama cannot be served: ")
        assert whole.status_code == 200
        assert await self.loaded(live) == {"endless": True, "tiny-llama": False}

    async def test_a_load_is_logged_with_the_id_of_the_response(
        self, live: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        asked = [
            await live.post("/completions", json={**SHORT, "model": name})
            for name in ("endless", "tiny-llama", "endless")
        ]
        told = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
        assert [
            [event["event"] for event in told if event.get("request_id") == response.headers["x-request-id"]]
            for response in asked
        ] == [
            ["request_started", "model_loading", "model_loaded", "request_finished"],
            ["request_started", "model_loading", "model_load_failed", "request_finished"],
            ["request_started", "request_finished"],
        ]
