from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import openai
import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import httpx2


@pytest.fixture
async def sdk(live: httpx2.AsyncClient) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=str(live.base_url), api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture
async def claude(live: httpx2.AsyncClient) -> AsyncIterator[anthropic.AsyncAnthropic]:
    base = str(live.base_url).removesuffix("/").removesuffix("/v1")
    async with anthropic.AsyncAnthropic(base_url=base, api_key="any", max_retries=0) as client:
        yield client


@pytest.fixture
def streamed(
    client: httpx2.AsyncClient, keeps_contract: Callable[[str, object], None]
) -> Callable[..., Awaitable[list[dict[str, Any]]]]:
    """Requests a stream, and returns the data of its events, which are named by type and match the contract."""

    async def ask(path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        response = await client.post(path, json=body | {"stream": True})
        assert response.status_code == 200, response.text
        assert response.headers["content-type"].startswith("text/event-stream")
        return events(response.text, path, keeps_contract)

    return ask


def events(text: str, path: str, keeps_contract: Callable[[str, object], None]) -> list[dict[str, Any]]:
    found = []
    for frame in text.removesuffix("\n\n").split("\n\n"):
        if frame.startswith(":"):
            continue
        name, data = frame.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        if path == "/messages":
            keeps_contract("MessageSseEvent", {"event": event["type"], "data": data.removeprefix("data: ")})
            keeps_contract(MESSAGE_EVENTS[event["type"]], event)
        else:
            keeps_contract("ResponseStreamEvent", event)
        found.append(event)
    return found


MESSAGE_EVENTS = {
    "message_start": "MessageStartEvent",
    "ping": "MessagePingEvent",
    "content_block_start": "MessageBlockStartEvent",
    "content_block_delta": "MessageBlockDeltaEvent",
    "content_block_stop": "MessageBlockStopEvent",
    "message_delta": "MessageDeltaEvent",
    "message_stop": "MessageStopEvent",
    "error": "MessageErrorEnvelope",
}
