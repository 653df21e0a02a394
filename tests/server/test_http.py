"""HTTP around an answer: routes, methods, bodies, ids and times, health and the contract."""

from __future__ import annotations

import threading
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.compilation.compiler import Compiler
from gonogo_server.providers.local import chat
from gonogo_server.requests.body import parse
from gonogo_server.requests.messages import plain_messages
from gonogo_server.routes import dependencies
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio

TEXT = {"model": "scripted", "prompt": "Hi"}


async def test_head_is_answered_like_get(client: httpx2.AsyncClient) -> None:
    response = await client.head("/models")
    assert response.status_code == 200


async def test_an_unknown_route_is_a_404_in_the_envelope(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    response = await client.get("/nothing?here=1")
    assert response.status_code == 404
    keeps_contract("ErrorEnvelope", response.json())
    assert "GET /v1/nothing" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/chat/completions", {"POST"}),
        ("DELETE", "/completions", {"POST"}),
        ("PUT", "/embeddings", {"POST"}),
        ("POST", "/models", {"GET", "HEAD"}),
        ("OPTIONS", "/models/scripted", {"GET", "HEAD"}),
    ],
)
async def test_a_wrong_method_is_a_405_that_says_which_are_right(
    client: httpx2.AsyncClient, keeps_contract: Check, method: str, path: str, allowed: set[str]
) -> None:
    response = await client.request(method, path)
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) == allowed
    keeps_contract("ErrorEnvelope", response.json())


async def test_a_body_not_declared_as_json_is_a_415(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    response = await client.post("/completions", content=b"{}", headers={"content-type": "text/plain"})
    assert response.status_code == 415
    keeps_contract("ErrorEnvelope", response.json())


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"model": NaN}'], ids=repr)
@pytest.mark.parametrize("path", ["/chat/completions", "/completions", "/embeddings"])
async def test_a_body_that_is_not_a_json_object_is_a_400(
    client: httpx2.AsyncClient, keeps_contract: Check, path: str, content: bytes
) -> None:
    response = await client.post(path, content=content, headers={"content-type": "application/json"})
    assert response.status_code == 400
    keeps_contract("ErrorEnvelope", response.json())


@pytest.mark.parametrize("settings", [Settings(max_body_bytes=100)])
async def test_a_body_over_the_limit_is_a_413(client: httpx2.AsyncClient, keeps_contract: Check) -> None:
    response = await client.post("/completions", json={**TEXT, "prompt": "x" * 100})
    assert response.status_code == 413
    keeps_contract("ErrorEnvelope", response.json())
    assert "100 bytes" in response.json()["error"]["message"]
    assert (await client.post("/completions", json=TEXT)).status_code == 200


@pytest.mark.parametrize("path", ["/models", "/nothing", "http://server/health"])
async def test_every_response_has_an_id_and_a_time(client: httpx2.AsyncClient, path: str) -> None:
    first, second = [await client.get(path) for _ in range(2)]
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert int(first.headers["openai-processing-ms"]) >= 0


@pytest.mark.parametrize(
    ("sent", "kept"), [("trace-1.2:3_4", True), ("a b", False), ("x" * 129, False), ("", False)]
)
async def test_a_plain_id_of_the_client_is_kept(client: httpx2.AsyncClient, sent: str, *, kept: bool) -> None:
    response = await client.get("/models", headers={"x-request-id": sent})
    assert (response.headers["x-request-id"] == sent) is kept


async def test_health_says_ok_and_the_version(client: httpx2.AsyncClient) -> None:
    response = await client.get("http://server/health")
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert response.json()["version"] == version("gonogo")


async def test_the_server_hands_out_the_contract(client: httpx2.AsyncClient) -> None:
    response = await client.get("http://server/openapi.json")
    assert response.json()["openapi"] == "3.2.0"
    assert "/chat/completions" in response.json()["paths"]


@pytest.mark.parametrize(("ids", "thread"), [(10, "the loop's"), (100_000, "another")])
async def test_a_large_body_is_parsed_outside_the_event_loop(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, ids: int, thread: str
) -> None:
    seen = []

    def noting_the_thread(*arguments: Any, **named: Any) -> object:  # noqa: ANN401 - passed on
        seen.append("the loop's" if threading.get_ident() == loop else "another")
        return parse(*arguments, **named)

    loop = threading.get_ident()
    monkeypatch.setattr(dependencies, "parse", noting_the_thread)
    response = await client.post("/completions", json={"model": "scripted", "prompt": [*[1] * ids, "a"]})
    assert response.json()["error"]["param"] == f"prompt[{ids}]"
    assert seen == [thread]


@pytest.mark.parametrize(("letters", "thread"), [(10, "the loop's"), (100_000, "another")])
async def test_a_long_conversation_is_made_plain_beside_the_loop_too(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, letters: int, thread: str
) -> None:
    seen = []

    def noting_the_thread(*arguments: Any, **named: Any) -> object:  # noqa: ANN401 - passed on
        seen.append("the loop's" if threading.get_ident() == loop else "another")
        return plain_messages(*arguments, **named)

    loop = threading.get_ident()
    monkeypatch.setattr(chat, "plain_messages", noting_the_thread)
    await client.post(
        "/chat/completions",
        json={"model": "scripted", "messages": [{"role": "user", "content": "x" * letters}]},
    )
    assert seen == [thread]


@pytest.mark.parametrize(("letters", "thread"), [(10, "the loop's"), (100_000, "another")])
async def test_large_schemas_are_measured_and_planned_outside_the_event_loop(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch, letters: int, thread: str
) -> None:
    seen = []

    def noting_the_thread(work: Callable[..., object]) -> Callable[..., object]:
        def noted(*arguments: object) -> object:
            seen.append("the loop's" if threading.get_ident() == loop else "another")
            return work(*arguments)

        return noted

    loop = threading.get_ident()
    monkeypatch.setattr(Compiler, "brought", noting_the_thread(Compiler.brought))
    monkeypatch.setattr(chat, "assembled", noting_the_thread(chat.assembled))
    schema = {"type": "integer", "description": "x" * letters}
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    hello = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    await client.post("/chat/completions", json=hello | {"response_format": wanted})
    assert seen == [thread, thread]


async def test_a_whole_answer_of_many_tokens_is_written_as_a_short_one_is(client: httpx2.AsyncClient) -> None:
    body = {"model": "scripted", "prompt": "Hi", "n": 65}
    answer = (await client.post("/completions", json=body)).json()
    assert answer["usage"]["completion_tokens"] == 65 * 16
    short = (await client.post("/completions", json=TEXT)).json()
    assert [choice["text"] for choice in answer["choices"]] == [short["choices"][0]["text"]] * 65
