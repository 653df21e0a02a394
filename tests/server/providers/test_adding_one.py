"""A provider can be added without changes to existing code."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

import pytest
from gonogo_server.answers.written import Answer, Body, begun
from gonogo_server.app import create_app
from gonogo_server.errors import BadRequest, ModelNotFound
from gonogo_server.providers import registry
from gonogo_server.providers.base import ChatOnly
from gonogo_server.providers.registry import Registry
from gonogo_server.settings import Settings
from gonogo_wire import Model
from server.conftest import listen

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from gonogo_server.providers.base import Context, Provider
    from gonogo_wire import CreateChatCompletionRequest, CreateCompletionRequest, CreateEmbeddingRequest

pytestmark = pytest.mark.anyio


class Parrot(ChatOnly):
    """Repeats the prompt."""

    strict, alive = True, True

    def described(self) -> Sequence[str]:
        return ["parrot"]

    def quirks(self) -> Sequence[tuple[str, str, str]]:
        return ()

    async def list_models(self, context: Context) -> Sequence[Model]:
        return [Model(id="parrot", object="model", created=1_700_000_000, owned_by="tests")]

    async def retrieve_model(self, model: str, context: Context) -> Model:
        raise ModelNotFound("There is one model: parrot.", param="model", code="model_not_found")

    async def create_chat_completion(self, body: CreateChatCompletionRequest, context: Context) -> Answer:
        if body.stream:
            return await begun(self._said(str(body.messages[-1].content)))
        return Body('{"object": "chat.completion"}')

    async def _said(self, text: str) -> AsyncGenerator[bytes, None]:
        yield b'data: {"text": "%b"}\n\n' % text.encode()

    async def create_completion(self, body: CreateCompletionRequest, context: Context) -> Answer:
        raise BadRequest("A parrot does not go on.")

    async def create_embeddings(self, body: CreateEmbeddingRequest, context: Context) -> Body:
        raise BadRequest("A parrot has no vectors.")

    async def close(self) -> None:
        pass


async def test_a_provider_is_a_class_of_under_forty_lines() -> None:
    assert len([line for line in inspect.getsource(Parrot).splitlines() if line.strip()]) < 40
    parrot: Provider = Parrot()
    async with listen(create_app(Registry({"zoo": parrot}), Settings())) as client:
        asked = {"model": "parrot", "messages": [{"role": "user", "content": "Hi"}]}
        whole = await client.post("/chat/completions", json=asked)
        assert whole.json()["object"] == "chat.completion"
        streamed = await client.post(
            "/chat/completions", json={**asked, "model": "zoo/parrot", "stream": True}
        )
        assert streamed.text == 'data: {"text": "Hi"}\n\ndata: [DONE]\n\n'
        root = str(client.base_url).removesuffix("/v1/")
        assert (await client.get(f"{root}/zoo/v1/models")).json()["data"][0]["id"] == "parrot"
        assert (await client.get(f"{root}/zoo/v1/models/parrot")).status_code == 404
        assert (await client.post("/completions", json={"model": "parrot", "prompt": "x"})).status_code == 400
        assert (await client.post("/embeddings", json={"model": "parrot", "input": "x"})).status_code == 400
        response = await client.post("/responses", json={"model": "parrot", "input": "x"})
        assert (response.status_code, response.json()["error"]["code"]) == (404, "unknown_url")
        counted = {"model": "parrot", "messages": asked["messages"]}
        for path in ("/messages", "/messages/count_tokens"):
            message = await client.post(path, json=counted | {"max_tokens": 8})
            assert (message.status_code, message.json()["error"]["type"]) == (404, "not_found_error")


async def test_models_of_a_provider_that_is_not_there_are_left_out_of_the_list_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = Parrot()

    async def failing(_context: Context) -> Sequence[Model]:
        raise BadRequest("not now")

    async def hanging(_context: Context) -> Sequence[Model]:
        return await asyncio.Event().wait() and []

    hung = Parrot()
    monkeypatch.setattr(gone, "list_models", failing)
    monkeypatch.setattr(hung, "list_models", hanging)
    monkeypatch.setattr(registry, "LISTING_SECONDS", 0.01)
    providers: dict[str, Provider] = {"zoo": Parrot(), "gone": gone, "hung": hung, "other": Parrot()}
    async with listen(create_app(Registry(providers), Settings())) as client:
        listed = (await client.get("/models")).json()["data"]
        assert [model["id"] for model in listed] == ["parrot", "other/parrot"]


async def test_a_server_with_a_dead_engine_is_unhealthy_with_any_other_provider() -> None:
    dead = Parrot()
    dead.alive = False
    async with listen(create_app(Registry({"dead": dead, "zoo": Parrot()}), Settings())) as client:
        root = str(client.base_url).removesuffix("/v1/")
        assert (await client.get(f"{root}/health")).status_code == 503
