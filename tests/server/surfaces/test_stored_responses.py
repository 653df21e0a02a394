"""Stored responses: retrieved, continued and deleted by id, with the key that made them."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import pytest
from gonogo_server import serve
from gonogo_server.app import create_app
from gonogo_server.compose import providers
from gonogo_server.engine.scripted import Failure, ScriptedEngine
from gonogo_server.errors import BadSettings
from gonogo_server.settings import Settings, read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from gonogo_server.compilation.worker import Worker

    Body = dict[str, Any]
    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio

BELL = {"type": "function", "name": "ring_bell", "parameters": {}, "strict": None}


def answer(prompt: str) -> str:
    """The texts of user and developer; a call if the prompt asks for one, and after its result that result."""
    if "It rang." in prompt:
        return "It rang."
    if prompt.endswith("user: Ring.\nassistant: "):
        return '<tool_call>{"name": "ring_bell", "arguments": {}}</tool_call>'
    return " | ".join(line for line in prompt.splitlines() if line.startswith(("system: ", "user: ")))


@pytest.fixture
def settings() -> Settings:
    return Settings(responses_store="memory")


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(("scripted",), answer)


@asynccontextmanager
async def serving(
    engine: ScriptedEngine, settings: Settings, worker: Worker
) -> AsyncIterator[httpx2.AsyncClient]:
    """The application with its store, which is closed at the end."""
    registry = providers(settings, engine, worker)
    transport = httpx2.ASGITransport(app=create_app(registry, settings), raise_app_exceptions=False)
    try:
        async with httpx2.AsyncClient(transport=transport, base_url="http://server/v1") as client:
            yield client
    finally:
        await registry.close()


@pytest.fixture
async def client(
    engine: ScriptedEngine, settings: Settings, worker: Worker
) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(engine, settings, worker) as client:
        yield client


def ask(given: object = "Hi", **fields: object) -> Body:
    return {"model": "scripted", "input": given, **fields}


async def made(client: httpx2.AsyncClient, body: Body, key: str | None = None) -> Body:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    response = await client.post("/responses", json=body, headers=headers)
    assert response.status_code == 200, response.text
    found: Body = response.json()
    return found


def text(response: Body) -> str:
    found: str = response["output"][-1]["content"][0]["text"]
    return found


async def missing(client: httpx2.AsyncClient, keeps: Check, response_id: str, key: str | None = None) -> None:
    """Fails if the response exists, or if the error is not the right one."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    for method in ("GET", "DELETE"):
        response = await client.request(method, f"/responses/{response_id}", headers=headers)
        assert response.status_code == 404, response.text
        keeps("ErrorEnvelope", response.json())
        assert response.json()["error"]["code"] == "response_not_found"


async def test_a_response_is_read_as_it_ended_until_it_is_deleted(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    response = await made(client, ask(metadata={"a": "b"}))
    assert response["store"] is True
    path = f"/responses/{response['id']}"
    assert (await client.get(path)).json() == response
    assert (await client.head(path)).status_code == 200
    deleted = await client.delete(path)
    keeps_contract("ResponseDeleted", deleted.json())
    assert deleted.json() == {"id": response["id"], "object": "response", "deleted": True}
    await missing(client, keeps_contract, response["id"])


async def test_a_stream_is_stored_before_its_last_event(client: httpx2.AsyncClient) -> None:
    sent = await client.post("/responses", json=ask(stream=True))
    last = json.loads(sent.text.removesuffix("\n\n").rpartition("data: ")[2])
    assert last["type"] == "response.completed"
    assert (await client.get(f"/responses/{last['response']['id']}")).json() == last["response"]


async def test_a_continued_response_knows_what_was_said_but_no_earlier_instructions(
    client: httpx2.AsyncClient,
) -> None:
    first = await made(client, ask("One", instructions="Be brief."))
    second = await made(client, ask([{"role": "user", "content": "Two"}], previous_response_id=first["id"]))
    assert second["previous_response_id"] == first["id"]
    third = ask("Three", previous_response_id=second["id"])
    assert text(first) == "system: Be brief. | user: One"
    assert text(second) == "user: One | user: Two"
    assert text(await made(client, third)) == "user: One | user: Two | user: Three"
    count = (await client.post("/responses/input_tokens", json=third)).json()["input_tokens"]
    assert count == (await made(client, third))["usage"]["input_tokens"]


async def test_a_call_is_answered_by_the_id_of_its_response_alone(client: httpx2.AsyncClient) -> None:
    async with openai.AsyncOpenAI(
        base_url="http://server/v1", api_key="any", max_retries=0, http_client=client
    ) as sdk:
        tools: Any = [BELL]
        first = await sdk.responses.create(model="scripted", input="Ring.", tools=tools)
        call = first.output[-1]
        assert call.type == "function_call"
        second = await sdk.responses.create(
            model="scripted",
            previous_response_id=first.id,
            input=[{"type": "function_call_output", "call_id": call.call_id, "output": "It rang."}],
            tools=tools,
        )
        assert second.output_text == "It rang."
        assert (await sdk.responses.retrieve(second.id)).output_text == second.output_text
        await sdk.responses.delete(second.id)
        with pytest.raises(openai.NotFoundError):
            await sdk.responses.retrieve(second.id)


async def test_a_response_of_one_key_is_not_found_by_another(
    client: httpx2.AsyncClient, refused: Callable[..., Awaitable[Body]], keeps_contract: Check
) -> None:
    response = await made(client, ask(), key="mine")
    await missing(client, keeps_contract, response["id"], key="other")
    await missing(client, keeps_contract, response["id"])
    error = await refused("/responses", ask(previous_response_id=response["id"]))
    assert (error["param"], error["code"]) == ("previous_response_id", "previous_response_not_found")
    path = f"/responses/{response['id']}"
    assert (await client.get(path, headers={"authorization": "bearer mine"})).status_code == 200


async def test_a_response_with_store_false_is_not_stored(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    response = await made(client, ask(store=False))
    assert response["store"] is False
    await missing(client, keeps_contract, response["id"])


async def test_a_failed_response_is_not_stored_and_reports_it(
    client: httpx2.AsyncClient, engine: ScriptedEngine, keeps_contract: Check
) -> None:
    engine.failure = Failure(3, RuntimeError("x"))
    sent = await client.post("/responses", json=ask(stream=True))
    last = json.loads(sent.text.removesuffix("\n\n").rpartition("data: ")[2])
    assert (last["type"], last["response"]["store"]) == ("response.failed", False)
    await missing(client, keeps_contract, last["response"]["id"])


async def test_a_deleted_response_cannot_be_continued(
    client: httpx2.AsyncClient, refused: Callable[..., Awaitable[Body]]
) -> None:
    first = await made(client, ask())
    second = await made(client, ask(previous_response_id=first["id"]))
    await client.delete(f"/responses/{first['id']}")
    for gone in (first, second):
        error = await refused("/responses", ask(previous_response_id=gone["id"]))
        assert error["param"] == "previous_response_id"


async def test_a_response_is_not_streamed_again(
    client: httpx2.AsyncClient,
) -> None:
    response = await made(client, ask())
    path = f"/responses/{response['id']}"
    error = (await client.get(path, params={"stream": "true"})).json()["error"]
    assert (error["param"], error["code"]) == ("stream", "unsupported_parameter")
    assert (await client.get(path, params={"stream": "false"})).status_code == 200


@pytest.mark.parametrize("settings", [Settings(responses_store="memory", responses_store_bytes=300)])
async def test_a_response_that_is_too_large_to_be_stored_says_that_it_is_not(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    response = await made(client, ask())
    assert response["store"] is False
    await missing(client, keeps_contract, response["id"])


async def test_an_answer_is_not_lost_where_the_store_fails(
    engine: ScriptedEngine, worker: Worker, tmp_path: Path, keeps_contract: Check
) -> None:
    file = tmp_path / "responses.db"
    async with serving(engine, Settings(responses_store=str(file)), worker) as client:
        file.write_text("no database " * 100)
        response = await made(client, ask())
        sent = await client.post("/responses", json=ask(stream=True))
        unread = await client.get(f"/responses/{response['id']}")
    keeps_contract("ResponseObject", response)
    assert (text(response), response["store"]) == ("user: Hi", False)
    last = json.loads(sent.text.removesuffix("\n\n").rpartition("data: ")[2])
    assert (last["type"], last["response"]["store"]) == ("response.completed", False)
    assert text(last["response"]) == "user: Hi"
    assert (unread.status_code, unread.json()["error"]["code"]) == (500, "responses_store_failed")


@pytest.mark.parametrize("settings", [Settings()])
async def test_without_a_store_the_path_is_missing(client: httpx2.AsyncClient, keeps_contract: Check) -> None:
    for method in ("GET", "DELETE"):
        response = await client.request(method, "/responses/resp_1")
        assert response.status_code == 404
        keeps_contract("ErrorEnvelope", response.json())
        assert response.json()["error"]["code"] == "unknown_url"


def test_a_file_that_cannot_be_a_store_is_one_sentence_and_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve.main(["--engine", "scripted", "--port", "0", "--responses-store", str(tmp_path)]) == 2
    assert "Responses cannot be stored in" in capsys.readouterr().err


def test_a_gateway_alone_stores_nothing() -> None:
    settings = read({"providers": ["lab=http://127.0.0.1:1/v1"], "responses_store": "memory"})
    with pytest.raises(BadSettings, match="add --model"):
        providers(settings, None)
