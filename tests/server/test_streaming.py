"""Streams over a real connection: framing, order, errors in the middle, and clients that disconnect."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.engine.scripted import Failure, ScriptedEngine
from gonogo_server.errors import EngineDied
from server.conftest import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    import httpx2
    from gonogo_server.engine.base import ModelCard
    from gonogo_server.settings import Settings

    Body = dict[str, Any]
    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio

ANSWER = "Hello! How can I help you today?"
CHAT = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
TEXT = {"model": "scripted", "prompt": "Hi", "max_tokens": 40, "stream": True}
OPERATIONS = [("/chat/completions", CHAT), ("/completions", TEXT)]


def events(raw: bytes) -> list[str]:
    """The data of each event; fails if the framing is not one data line and a blank line."""
    assert raw.endswith(b"\n\n")
    blocks = raw.decode().removesuffix("\n\n").split("\n\n")
    assert all(block.startswith("data: ") and "\n" not in block for block in blocks)
    return [block.removeprefix("data: ") for block in blocks]


async def streamed(client: httpx2.AsyncClient, path: str, body: Body) -> list[Any]:
    response = await client.post(path, json=body)
    assert response.status_code == 200, response.text
    *chunks, done = events(response.content)
    assert done == "[DONE]"
    return [json.loads(chunk) for chunk in chunks]


def said(chunks: list[Any]) -> str:
    """The text of all chunks together."""
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    return "".join(c["text"] if "text" in c else c["delta"].get("content", "") for c in choices)


def uncached(usage: Body) -> Body:
    return {name: count for name, count in usage.items() if name != "prompt_tokens_details"}


@pytest.mark.parametrize(("path", "body"), OPERATIONS)
async def test_a_stream_is_declared_as_uncacheable_events(
    live: httpx2.AsyncClient, path: str, body: Body
) -> None:
    response = await live.post(path, json=body)
    assert response.headers["content-type"].partition(";")[0] == "text/event-stream"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": True}}])
@pytest.mark.parametrize(("path", "body"), OPERATIONS)
async def test_a_stream_keeps_the_contract_event_by_event_and_as_a_whole(
    live: httpx2.AsyncClient, keeps_contract: Check, path: str, body: Body, options: Body
) -> None:
    name = "ChatCompletion" if "chat" in path else "Completion"
    response = await live.post(path, json={**body, **options})
    for data in events(response.content)[:-1]:
        keeps_contract(f"{name}Chunk", json.loads(data))
    keeps_contract(f"{name}SseStream", [{"data": data} for data in events(response.content)])


async def test_the_role_comes_first_and_alone_and_the_finish_last_and_empty(live: httpx2.AsyncClient) -> None:
    first, *middle, last = await streamed(live, "/chat/completions", CHAT)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert all(set(chunk["choices"][0]["delta"]) == {"content"} for chunk in middle)
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in (first, *middle))
    assert last["choices"][0]["delta"] == {}
    assert last["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("changes", [{}, {"stop": "How"}, {"max_tokens": 7}], ids=str)
@pytest.mark.parametrize(("path", "body"), OPERATIONS)
async def test_a_stream_says_what_the_same_request_says_at_once(
    live: httpx2.AsyncClient, path: str, body: Body, changes: Body
) -> None:
    chunks = await streamed(live, path, {**body, **changes, "stream_options": {"include_usage": True}})
    whole = (await live.post(path, json={**body, **changes, "stream": False})).json()
    choice = whole["choices"][0]
    assert said(chunks) == (choice["text"] if "text" in choice else choice["message"]["content"])
    assert chunks[-2]["choices"][0]["finish_reason"] == choice["finish_reason"]
    # Only the first of the two finds nothing of its prompt in the cache.
    assert uncached(chunks[-1]["usage"]) == uncached(whole["usage"])


@pytest.mark.parametrize(("path", "body"), OPERATIONS)
async def test_usage_is_sent_only_if_it_was_requested(
    live: httpx2.AsyncClient, path: str, body: Body
) -> None:
    for options in ({}, {"stream_options": {}}, {"stream_options": {"include_usage": False}}):
        chunks = await streamed(live, path, {**body, **options})
        assert all("usage" not in chunk and chunk["choices"] for chunk in chunks)


@pytest.mark.parametrize("engine", [ScriptedEngine(answer="Grüße an 日本 👋\u2028!")])
async def test_characters_of_several_bytes_arrive_whole(live: httpx2.AsyncClient) -> None:
    assert said(await streamed(live, "/chat/completions", CHAT)) == "Grüße an 日本 👋\u2028!"


async def test_several_prompts_finish_once_each(live: httpx2.AsyncClient) -> None:
    chunks = await streamed(live, "/completions", {**TEXT, "prompt": ["a", "b"], "max_tokens": 2})
    finished = [c["choices"][0]["index"] for c in chunks if c["choices"][0]["finish_reason"]]
    assert finished == [0, 1]


async def test_an_empty_completion_is_a_stream_too(live: httpx2.AsyncClient) -> None:
    [chunk] = await streamed(live, "/completions", {**TEXT, "max_tokens": 0})
    assert chunk["choices"][0]["finish_reason"] == "length"


class Slow(ScriptedEngine):
    """Hangs in calls of the method `at`; encoding is called to learn the vocabulary."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self.at = at
        self.held = 0
        """Calls that were not cancelled."""
        setattr(self, at, self._hold)

    def cards(self) -> Sequence[ModelCard]:
        return [replace(card, vocabulary=0, loaded=False) for card in super().cards()]

    async def _hold(self, *_asked: object) -> None:
        self.held += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.held -= 1


@pytest.mark.parametrize(
    ("engine", "path", "body"),
    [
        (Slow("encode"), "/chat/completions", CHAT),
        (Slow("tool_style"), "/chat/completions", CHAT),
        (Slow("chat_prompt"), "/chat/completions", CHAT),
        (Slow("encode"), "/completions", TEXT),
        (Slow("infill_prompt"), "/completions", {**TEXT, "suffix": "."}),
    ],
    ids=lambda value: getattr(value, "at", None),
)
async def test_a_client_that_leaves_while_its_request_is_read_is_not_waited_for(
    live: httpx2.AsyncClient, engine: Slow, path: str, body: Body
) -> None:
    asking = asyncio.create_task(live.post(path, json=body))
    await until(lambda: engine.held == 1)
    asking.cancel()
    await until(lambda: engine.held == 0)
    assert asking.cancelled()


class TestWithAGatedEngine:
    """Streams whose tokens come one by one, when the test lets them through."""

    @pytest.fixture
    def engine(self, gate: asyncio.Semaphore) -> ScriptedEngine:
        return ScriptedEngine(gate=gate.acquire)

    async def test_each_token_is_sent_before_the_next_is_generated(
        self, live: httpx2.AsyncClient, gate: asyncio.Semaphore
    ) -> None:
        async with Contents(live, gate) as lines:
            assert await anext(lines) == ""
            for character in ANSWER[:5]:
                assert await anext(lines) == character
                gate.release()

    async def test_a_client_that_leaves_in_the_middle_stops_the_generation(
        self, live: httpx2.AsyncClient, engine: ScriptedEngine, gate: asyncio.Semaphore
    ) -> None:
        async with Contents(live, gate) as lines:
            await anext(lines)
            assert engine.running == 1
        await until(lambda: engine.running == 0)

    @pytest.mark.parametrize("stream", [True, False])
    async def test_a_client_that_leaves_before_the_first_token_stops_the_generation(
        self, live: httpx2.AsyncClient, engine: ScriptedEngine, *, stream: bool
    ) -> None:
        asking = asyncio.create_task(live.post("/chat/completions", json={**CHAT, "stream": stream}))
        await until(lambda: engine.running == 1)
        asking.cancel()
        await until(lambda: engine.running == 0)
        assert asking.cancelled()

    async def test_a_client_that_leaves_does_not_disturb_another(
        self, live: httpx2.AsyncClient, engine: ScriptedEngine, gate: asyncio.Semaphore
    ) -> None:
        staying = asyncio.create_task(live.post("/chat/completions", json={**CHAT, "max_tokens": 3}))
        leaving = asyncio.create_task(live.post("/chat/completions", json=CHAT))
        await until(lambda: engine.running == 2)
        leaving.cancel()
        await until(lambda: engine.running == 1)
        for _ in range(9):
            gate.release()
        assert events((await staying).content)[-1] == "[DONE]"

    async def test_an_engine_that_dies_in_the_middle_ends_the_stream_with_an_error(
        self, live: httpx2.AsyncClient, engine: ScriptedEngine, gate: asyncio.Semaphore
    ) -> None:
        gate.release()
        async with live.stream("POST", "/chat/completions", json=CHAT) as response:
            received = [await anext(chunks := response.aiter_bytes())]
            engine.die()
            received += [chunk async for chunk in chunks]
        check_broken_off(events(b"".join(received)), "service_unavailable_error")

    async def test_a_dead_engine_fails_waiting_requests(
        self, live: httpx2.AsyncClient, engine: ScriptedEngine
    ) -> None:
        asking = asyncio.create_task(live.post("/chat/completions", json={**CHAT, "stream": False}))
        await until(lambda: engine.running == 1)
        engine.die()
        assert (await asking).status_code == 503


class Contents:
    """The contents of a chat stream's deltas, as they arrive; the first token is let through."""

    def __init__(self, client: httpx2.AsyncClient, gate: asyncio.Semaphore) -> None:
        self._stream = client.stream("POST", "/chat/completions", json=CHAT)
        gate.release()

    async def __aenter__(self) -> AsyncIterator[str]:
        response = await self._stream.__aenter__()
        return self._contents(response)

    async def __aexit__(self, *error: object) -> None:
        await self._stream.__aexit__(*error)

    @staticmethod
    async def _contents(response: httpx2.Response) -> AsyncIterator[str]:
        async for line in response.aiter_lines():
            if line:
                yield json.loads(line.removeprefix("data: "))["choices"][0]["delta"]["content"]


def check_broken_off(data: list[str], kind: str) -> None:
    """One error is the last event; nothing pretends that the answer was finished."""
    *chunks, last = map(json.loads, data)
    assert last["error"]["type"] == kind
    assert set(last["error"]) == {"message", "type", "param", "code"}
    assert "[DONE]" not in data
    assert all(chunk["choices"][0]["finish_reason"] is None for chunk in chunks)


@pytest.mark.parametrize(
    "failure", [ZeroDivisionError("secret"), EngineDied("The engine died; start the server again.")], ids=repr
)
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_an_error_in_the_middle_is_the_last_event(
    live: httpx2.AsyncClient,
    engine: ScriptedEngine,
    keeps_contract: Check,
    operation: tuple[str, Body],
    failure: Exception,
) -> None:
    path, body = operation
    engine.failure = Failure(4, failure)
    response = await live.post(path, json=body)
    assert response.status_code == 200
    data = events(response.content)
    died = isinstance(failure, EngineDied)
    check_broken_off(data, "service_unavailable_error" if died else "server_error")
    keeps_contract("ErrorEnvelope", json.loads(data[-1]))
    assert "secret" not in response.text
    engine.failure = None
    assert (await live.post(path, json=body)).content.endswith(b"data: [DONE]\n\n")


async def test_a_bug_in_the_middle_of_a_stream_is_logged_with_its_trace(
    live: httpx2.AsyncClient, engine: ScriptedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.failure = Failure(1, ZeroDivisionError("the cause"))
    await live.post("/chat/completions", json=CHAT)
    # It is logged at the end of the exchange, which the client may see before the server.
    await until(lambda: "the cause" in caplog.text)


async def test_an_error_before_the_first_token_has_a_status_of_its_own(
    live: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    engine.failure = Failure(0, ZeroDivisionError())
    response = await live.post("/chat/completions", json=CHAT)
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("bad", [{"n": 0}, {"messages": []}, {"temperature": 9}])
async def test_a_refusal_is_the_same_whether_a_stream_was_asked_for_or_not(
    live: httpx2.AsyncClient, bad: Body
) -> None:
    asked = [await live.post("/chat/completions", json={**CHAT, **bad, "stream": s}) for s in (True, False)]
    assert {response.status_code for response in asked} == {400}
    assert asked[0].json() == asked[1].json()


async def test_a_body_over_the_limit_is_read_to_its_end_and_answered(
    live: httpx2.AsyncClient, settings: Settings
) -> None:
    body = b" " * (settings.max_body_bytes + 1)
    response = await live.post("/completions", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert (await live.get("/models")).status_code == 200
