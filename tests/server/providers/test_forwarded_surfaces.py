"""Responses and messages that a gateway forwards to an upstream that supports them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.compose import application
from gonogo_server.engine.scripted import ScriptedEngine
from server.conftest import listen
from server.providers.chat_only import alike, answering, empty_body, events, message, response
from server.providers.upstreams import HEAD as STREAM_HEAD
from server.providers.upstreams import (
    gateway,
    hanging_up,
    http,
    in_chunks,
    read,
    replying,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_server.compilation.worker import Worker
    from gonogo_server.settings import Settings
    from starlette.types import Receive, Scope, Send

    Body = dict[str, Any]
    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio


EVENTS = (
    b'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":3}}}\n\n',
    b'event: message_delta\r\ndata: {"type":"message_delta","usage":{"output_tokens":2}}\r\n\r\n',
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
)


async def test_answers_of_existing_paths_are_forwarded_unchanged_with_the_relevant_headers() -> None:
    seen: list[tuple[bytes, dict[bytes, bytes]]] = []

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((await read(receive), dict(scope["headers"])))
        await replying(*EVENTS)(scope, empty_body, send)

    headers = {"anthropic-version": "2026-10-21", "anthropic-beta": "a,b", "x-api-key": "client"}
    sent = json.dumps({**message(), "stream": True, "new_field": [1.50]}).encode()
    async with listen(http(noting)) as upstream, gateway(upstream.base_url) as client:
        answer = await client.post(
            "/messages?beta=true", content=sent, headers={**headers, "content-type": "application/json"}
        )
    assert answer.content == b"".join(EVENTS)
    [(body, passed)] = seen
    assert body == sent
    assert (passed[b"anthropic-version"], passed[b"anthropic-beta"]) == (b"2026-10-21", b"a,b")
    assert b"x-api-key" not in passed


async def test_the_upstream_sees_no_key_of_a_client_and_gives_no_stored_response(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[str, dict[bytes, bytes]]] = []

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["path"], dict(scope["headers"])))
        await replying(b'{"id": "resp_1"}', media_type="application/json")(scope, receive, send)

    monkeypatch.setenv("LAB_API_KEY", "of-the-gateway")
    keys = {"authorization": "Bearer of-a-client", "x-api-key": "of-a-client", "cookie": "of-a-client"}
    async with listen(http(noting)) as upstream, gateway(upstream.base_url) as client:
        for path, body in (("/responses", response()), ("/messages", message())):
            assert (await client.post(path, json=body, headers=keys)).status_code == 200
        for method in ("GET", "DELETE"):
            refused = await client.request(method, "/responses/resp_1", headers=keys)
            assert (refused.status_code, refused.json()["error"]["code"]) == (404, "unknown_url")
            assert "are not read or deleted through this server" in refused.json()["error"]["message"]
    assert [path for path, _ in seen] == ["/v1/responses", "/v1/messages"]
    for _, headers in seen:
        assert headers[b"authorization"] == b"Bearer of-the-gateway"
        assert b"of-a-client" not in headers.values()


async def test_all_that_the_upstream_has_is_its_own(settings: Settings, worker: Worker) -> None:
    app = application(ScriptedEngine(), settings, worker=worker)
    async with listen(app) as itself, gateway(itself.base_url) as client:
        for path, body in (
            ("/responses", response(temperature=0.5)),
            ("/responses/input_tokens", response()),
            ("/messages", message(stop_sequences=["How"])),
            ("/messages/count_tokens", message()),
        ):
            named = {**body, "model": "lab/scripted"}
            own, passed = await itself.post(path, json=body), await client.post(path, json=named)
            assert passed.status_code == 200
            assert alike(passed.json()) == alike(own.json())
            if path.endswith("tokens"):
                assert passed.json() == own.json()
        refused = await client.post("/responses", json=response(previous_response_id="resp_1"))
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "previous_response_id")
        missing = await client.post("/messages", json={**message(), "model": "other"})
        assert (missing.status_code, missing.json()["error"]["type"]) == (404, "not_found_error")


NOT_THERE = b'{"error":"Unexpected endpoint or method. (POST /v1/messages)"}'
"""With status 200, as LM Studio answers on an unknown path."""


@pytest.mark.parametrize("stream", [False, True])
async def test_a_missing_path_that_answers_200_is_missing(*, stream: bool) -> None:
    chat = answering({"content": "Yes."})

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        there = scope["path"].endswith(("/chat/completions", "/models"))
        await (chat if there else replying(NOT_THERE, media_type="application/json"))(scope, receive, send)

    async with listen(http(app)) as upstream, gateway(upstream.base_url) as client:
        for path, body in (("/responses", response()), ("/messages", message())):
            answer = await client.post(path, json={**body, "model": "m", "stream": stream})
            assert (answer.status_code, "Yes." in answer.text) == (200, True), answer.text
        counted = await client.post("/messages/count_tokens", json={**message(), "model": "m"})
    assert counted.status_code == 404
    assert "cannot count the tokens" in counted.json()["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_with_status_200_is_an_error(*, stream: bool) -> None:
    app = replying(b'{"error": {"message": "out of memory"}}', media_type="application/json")
    both = {"surfaces": ["responses", "messages"]}
    async with listen(app) as upstream, gateway(upstream.base_url, lab=both) as client:
        for path, body in (("/responses", response(stream=stream)), ("/messages", message(stream=stream))):
            answer = await client.post(path, json=body)
            assert (answer.status_code, answer.json()["error"]["message"]) == (502, "out of memory")


CREATED = (
    b'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1",'
    b'"object":"response","status":"in_progress","error":null,"output":[]}}\n\n'
)


@pytest.mark.parametrize("rest", [b"", b'event: x\ndata: {"type":"resp'], ids=["whole", "half an event"])
async def test_a_stream_that_is_passed_on_and_breaks_off_ends_in_the_error_of_its_surface(
    rest: bytes,
) -> None:
    both = {"surfaces": ["responses", "messages"]}
    async with hanging_up(STREAM_HEAD, in_chunks(CREATED + rest)) as url, gateway(url, lab=both) as client:
        text = (await client.post("/responses", json={**response(), "stream": True})).text
    assert text.encode().startswith(CREATED)
    last = events(text)[-1]
    assert (last["type"], last["sequence_number"]) == ("response.failed", 1)
    assert (last["response"]["id"], last["response"]["status"]) == ("resp_1", "failed")
    async with hanging_up(STREAM_HEAD, in_chunks(EVENTS[0] + rest)) as url, gateway(url, lab=both) as client:
        text = (await client.post("/messages", json={**message(), "stream": True})).text
    assert text.encode().startswith(EVENTS[0])
    assert [event["type"] for event in events(text)] == ["message_start", "error"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_failed_response_with_the_address_of_the_upstream_is_not_forwarded(*, stream: bool) -> None:
    urls: list[str] = []

    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        error = {"code": "server_error", "message": f"{urls[0]} is out of memory"}
        failed = {"id": "resp_1", "object": "response", "status": "failed", "error": error, "output": []}
        event = json.dumps({"type": "response.failed", "sequence_number": 0, "response": failed})
        named = b"event: response.failed\ndata: " + event.encode() + b"\n\n"
        whole = replying(json.dumps(failed).encode(), media_type="application/json")
        await (replying(named) if stream else whole)(scope, receive, send)

    async with listen(http(failing)) as upstream, gateway(upstream.base_url) as client:
        urls.append(str(upstream.base_url))
        answer = await client.post("/responses", json=response(stream=stream))
    assert "The upstream failed while it answered" in answer.text
    assert str(upstream.base_url.port) not in answer.text
