"""Models as clients see them: the list, one by its id, and an unknown one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.engine.base import ModelCard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx2
    from gonogo_server.engine.scripted import ScriptedEngine

    Check = Callable[[str, object], None]
    Refused = Callable[..., Awaitable[dict[str, Any]]]

pytestmark = pytest.mark.anyio

CHAT = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}]}
TEXT = {"model": "scripted", "prompt": "Hi"}


async def test_models_lists_what_is_served_in_order(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    response = await client.get("/models")
    assert response.status_code == 200
    keeps_contract("ModelList", response.json())
    assert [model["id"] for model in response.json()["data"]] == ["scripted", "org/scripted"]
    assert response.json()["data"][0]["context_length"] == 4096


async def test_models_have_their_type_context_and_load_state(
    client: httpx2.AsyncClient, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = (ModelCard("talker", "chat", 4096, 0), ModelCard("vectors", "embedding", 256, 0, loaded=False))
    monkeypatch.setattr(engine, "cards", lambda: cards)
    listed = (await client.get("/models")).json()["data"]
    assert [(one["id"], one["type"], one["context_length"], one["loaded"]) for one in listed] == [
        ("talker", "chat", 4096, True),
        ("vectors", "embedding", 256, False),
    ]


@pytest.mark.parametrize("path", ["/models/org/scripted", "/models/org%2Fscripted"])
async def test_a_model_is_found_by_an_id_with_a_slash(
    client: httpx2.AsyncClient, keeps_contract: Check, path: str
) -> None:
    response = await client.get(path)
    assert response.status_code == 200
    keeps_contract("Model", response.json())
    assert response.json()["id"] == "org/scripted"


@pytest.mark.parametrize("path", ["/models/other", "/models/", "/models/scripted/", "/models/org/messages"])
async def test_a_model_that_is_not_served_is_not_found(
    client: httpx2.AsyncClient, keeps_contract: Check, path: str
) -> None:
    response = await client.get(path)
    assert response.status_code == 404
    keeps_contract("ErrorEnvelope", response.json())
    assert response.json()["error"]["code"] == "model_not_found"
    assert response.json()["error"]["param"] == "model"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_model_that_is_not_served_is_a_404_streamed_or_not(refused: Refused, *, stream: bool) -> None:
    for path, body in (
        ("/chat/completions", {**CHAT, "model": "gpt"}),
        ("/completions", {**TEXT, "model": "gpt"}),
    ):
        error = await refused(path, {**body, "stream": stream}, 404)
        assert (error["code"], error["param"], error["type"]) == (
            "model_not_found",
            "model",
            "invalid_request_error",
        )
