"""Reasoning ends where its budget is used up, and the answer follows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.engine.base import ReasoningStyle
from gonogo_server.engine.scripted import ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx2

    Body = dict[str, Any]

pytestmark = pytest.mark.anyio

BUDGET = 1024
START, CLOSING = "<think>", "\n</think>\n\n"
SCHEMA = {
    "type": "object",
    "properties": {"go": {"type": "boolean"}},
    "required": ["go"],
    "additionalProperties": False,
}


def answer(prompt: str) -> str:
    """Endless reasoning, and after its end an answer."""
    return '{"go": true}' if prompt.endswith(CLOSING) else START + "hm " * 2000


@pytest.fixture
def engine() -> ScriptedEngine:
    style = ReasoningStyle(START, "</think>", frozenset({"none", "low"}))
    return ScriptedEngine(answer=answer, reasoning=style, context_length=8192)


def ask(**fields: object) -> Body:
    thinking = {"type": "enabled", "budget_tokens": BUDGET}
    messages = [{"role": "user", "content": "Hi"}]
    return {"model": "scripted", "max_tokens": 1500, "messages": messages, "thinking": thinking, **fields}


@pytest.mark.parametrize(
    "fields", [{}, {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}], ids=str
)
async def test_the_answer_follows_where_the_budget_is_used_up(
    client: httpx2.AsyncClient, fields: Body
) -> None:
    message = (await client.post("/messages", json=ask(**fields))).json()
    thought, said = message["content"]
    assert len(thought["thinking"].rstrip()) <= BUDGET - len(START)
    assert thought["thinking"].startswith("hm hm")
    assert json.loads(said["text"]) == {"go": True}
    assert message["stop_reason"] == "end_turn"
    assert message["usage"]["output_tokens"] == BUDGET + len(CLOSING) + len(said["text"]) + 1
    assert message["usage"]["cache_read_input_tokens"] == 0


async def test_a_stream_has_one_block_of_thinking_and_one_of_text(
    streamed: Callable[..., Awaitable[list[Body]]],
) -> None:
    events = await streamed("/messages", ask())
    starts = [event["content_block"]["type"] for event in events if event["type"] == "content_block_start"]
    assert starts == ["thinking", "text"]
    assert events[-2]["delta"]["stop_reason"] == "end_turn"


async def test_the_limit_of_the_answer_holds_for_both(client: httpx2.AsyncClient) -> None:
    message = (await client.post("/messages", json=ask(max_tokens=BUDGET + len(CLOSING)))).json()
    assert [block["type"] for block in message["content"]] == ["thinking"]
    assert message["stop_reason"] == "max_tokens"
    assert message["usage"]["output_tokens"] == BUDGET + len(CLOSING)
    message = (await client.post("/messages", json=ask(max_tokens=BUDGET + len(CLOSING) + 3))).json()
    assert message["content"][1]["text"] == '{"g'
    assert message["stop_reason"] == "max_tokens"
    assert message["usage"]["output_tokens"] == BUDGET + len(CLOSING) + 3


async def test_thinking_that_ends_within_its_budget_is_left_alone(
    client: httpx2.AsyncClient, engine: ScriptedEngine
) -> None:
    engine._answer = "<think>\nHm.\n</think>\n\nYes."
    message = (await client.post("/messages", json=ask())).json()
    assert [block.get("thinking") or block["text"] for block in message["content"]] == ["Hm.", "Yes."]
    assert len(engine.generations) == 1
