"""Translated responses and messages whose upstream fails, and clients that leave."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from server.conftest import listen
from server.providers.chat_only import answering, chat_only, empty_body, events, message, response
from server.providers.upstreams import (
    DONE,
    FIRST,
    chunk,
    gateway,
    gone,
    hanging_up,
    http,
    in_chunks,
    read,
    replying,
)
from server.providers.upstreams import HEAD as STREAM_HEAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Receive, Scope, Send

    Body = dict[str, Any]
    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/responses", "/messages"])
@pytest.mark.parametrize("status", [400, 401, 422, 429, 503])
async def test_an_error_of_the_upstream_has_the_envelope_of_the_surface(
    path: str, status: int, keeps_contract: Check
) -> None:
    refused = json.dumps({"error": {"message": "no", "type": "x", "param": "messages", "code": None}})
    app = chat_only(replying(refused.encode(), status=status, media_type="application/json"))
    body = {**(response() if path == "/responses" else message()), "model": "m", "stream": True}
    async with listen(app) as chat, gateway(chat.base_url) as client:
        answer = await client.post(path, json=body)
    assert answer.status_code == {422: 400, 401: 502}.get(status, status)
    keeps_contract("ErrorEnvelope" if path == "/responses" else "MessageErrorEnvelope", answer.json())
    if status == 400 and path == "/responses":
        assert answer.json()["error"]["param"] == "input"


async def test_a_limit_of_a_message_beyond_the_context_ends_in_the_context() -> None:
    asked: list[Body] = []
    said = json.dumps(
        {"error": {"message": "This model's maximum context length is 40 tokens.", "code": 400}}
    )
    refusing = replying(said.encode(), status=400, media_type="application/json")
    clipped = answering({"content": "Well"}, "length")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith("/chat/completions"):
            asked.append(json.loads(await read(receive)))
            await (refusing if "max_tokens" in asked[-1] else clipped)(scope, empty_body, send)
        else:
            await clipped(scope, receive, send)

    async with listen(app) as chat, gateway(chat.base_url, lab={"surfaces": ["chat"]}) as client:
        answer = (await client.post("/messages", json=message(max_tokens=32_000))).json()
        refused = await client.post("/responses", json=response(max_output_tokens=32_000))
    assert answer["stop_reason"] == "model_context_window_exceeded"
    assert [each.get("max_tokens") for each in asked] == [32_000, None, 32_000]
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "context_length_exceeded")


CUTS = {
    "cut": in_chunks(FIRST, chunk("Hel")),
    "error": in_chunks(
        FIRST, chunk("Hel"), b'data: {"error": {"message": "out of memory", "code": 500}}\n\n'
    ),
    "no reason": in_chunks(FIRST, chunk("Hel"), DONE) + b"0\r\n\r\n",
}


@pytest.mark.parametrize("name", CUTS)
async def test_an_upstream_that_dies_within_a_stream_ends_it_in_the_error_of_the_surface(
    name: str, keeps_contract: Check
) -> None:
    surfaces = {"surfaces": ["chat"]}
    async with hanging_up(STREAM_HEAD, CUTS[name]) as url, gateway(url, lab=surfaces) as client:
        failed = events((await client.post("/responses", json={**response(), "stream": True})).text)
        broken = events((await client.post("/messages", json={**message(), "stream": True})).text)
    keeps_contract("ResponseStreamEvent", failed[-1])
    assert failed[-1]["type"] == "response.failed"
    assert failed[-1]["response"]["error"]["code"] == "server_error"
    assert [event["sequence_number"] for event in failed] == list(range(len(failed)))
    keeps_contract("MessageErrorEnvelope", broken[-1])
    assert "".join(event.get("delta", "") for event in failed) == "Hel"
    assert [event["type"] for event in broken][-2:] == ["content_block_delta", "error"]


async def test_the_request_to_the_upstream_is_closed_when_the_client_disconnects() -> None:
    left: list[asyncio.Event] = [asyncio.Event(), asyncio.Event()]
    waiting = iter(left)

    async def until_gone(receive: Receive) -> None:
        mine = next(waiting)
        await gone(receive)
        mine.set()

    app = chat_only(replying(FIRST, chunk("Hel"), after=until_gone))
    async with listen(app) as chat, gateway(chat.base_url, lab={"surfaces": ["chat"]}) as client:
        for path, body in (("/responses", response()), ("/messages", message())):
            async with client.stream("POST", path, json={**body, "stream": True}) as answer:
                await anext(answer.aiter_bytes())
        for each in left:
            await each.wait()


async def test_each_chunk_goes_on_at_once() -> None:
    more = asyncio.Event()

    async def held(_scope: Scope, receive: Receive, send: Send) -> None:
        await read(receive)
        head = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": FIRST + chunk("Hel"), "more_body": True})
        await more.wait()
        await send({"type": "http.response.body", "body": chunk("lo", "stop") + DONE, "more_body": False})

    async with (
        listen(http(held)) as chat,
        gateway(chat.base_url, lab={"surfaces": ["chat"]}) as client,
        client.stream("POST", "/responses", json={**response(), "stream": True}) as answer,
    ):
        text = ""
        async for piece in answer.aiter_text():
            text += piece
            if '"delta":"Hel"' in text:
                more.set()
    assert '"delta":"lo"' in text
