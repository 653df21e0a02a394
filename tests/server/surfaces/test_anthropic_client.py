"""What applications do with Anthropic's official client, besides tool rounds: stream, parse, fail, disconnect."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import pytest
from gonogo_server.engine.scripted import Failure, ScriptedEngine
from gonogo_server.errors import Overloaded

if TYPE_CHECKING:
    import httpx2

pytestmark = pytest.mark.anyio

SCHEMA = {
    "type": "object",
    "properties": {"go": {"type": "boolean"}},
    "required": ["go"],
    "additionalProperties": False,
}


def asking(**fields: object) -> Any:  # noqa: ANN401 - the client's own types are unions of many dictionaries
    messages = [{"role": "user", "content": "Hi"}]
    return {"model": "scripted", "max_tokens": 64, "messages": messages, **fields}


async def test_a_stream_is_its_final_message(claude: anthropic.AsyncAnthropic) -> None:
    async with claude.messages.stream(**asking()) as stream:
        text = "".join([piece async for piece in stream.text_stream])
        message = await stream.get_final_message()
    assert [block.to_dict() for block in message.content] == [{"type": "text", "text": text}]
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens == len(text) + 1


async def test_structured_output_is_json_of_the_schema(claude: anthropic.AsyncAnthropic) -> None:
    wanted = {"format": {"type": "json_schema", "schema": SCHEMA}}
    message = await claude.messages.create(**asking(output_config=wanted))
    (block,) = message.content
    assert block.type == "text"
    assert json.loads(block.text).keys() == {"go"}


async def test_tokens_are_counted_before_they_are_paid_for(claude: anthropic.AsyncAnthropic) -> None:
    asked = asking()
    del asked["max_tokens"]
    count = await claude.messages.count_tokens(**asked)
    message = await claude.messages.create(**asking())
    assert count.input_tokens == message.usage.input_tokens + (message.usage.cache_read_input_tokens or 0)


async def test_an_overload_is_an_error_with_its_own_class(
    claude: anthropic.AsyncAnthropic, engine: ScriptedEngine
) -> None:
    engine.failure = Failure(0, Overloaded("Too many: try again."))
    with pytest.raises(anthropic.RateLimitError, match="Too many"):
        await claude.messages.create(**asking())


async def test_an_error_in_the_stream_is_raised_with_its_message(
    claude: anthropic.AsyncAnthropic, engine: ScriptedEngine
) -> None:
    engine.failure = Failure(3, RuntimeError("secret"))
    async with claude.messages.stream(**asking()) as stream:
        with pytest.raises(anthropic.APIStatusError, match="see its log"):
            await stream.get_final_message()


async def test_leaving_the_stream_stops_the_generation(
    claude: anthropic.AsyncAnthropic, engine: ScriptedEngine, live: httpx2.AsyncClient
) -> None:
    async with claude.messages.stream(**asking()) as stream:
        async for event in stream:
            if event.type == "content_block_delta":
                break
    await claude.messages.create(**asking())
    assert engine.running == 0
