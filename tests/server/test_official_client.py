"""The official OpenAI client against the server, with the calls that users make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai
import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx2
    from gonogo_server.engine.scripted import ScriptedEngine
    from openai.types.chat import ChatCompletionMessageParam

pytestmark = pytest.mark.anyio

ANSWER = "Hello! How can I help you today?"
MESSAGES: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hi"}]


@pytest.fixture
async def official(live: httpx2.AsyncClient) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(base_url=str(live.base_url), api_key="any", max_retries=0) as client:
        yield client


async def test_it_reads_an_answer_and_its_request_id(official: openai.AsyncOpenAI) -> None:
    answer = await official.chat.completions.create(model="scripted", messages=MESSAGES)
    assert answer.choices[0].message.content == ANSWER
    assert answer._request_id


async def test_it_puts_a_stream_together(official: openai.AsyncOpenAI) -> None:
    async with official.chat.completions.stream(
        model="scripted", messages=MESSAGES, stream_options={"include_usage": True}
    ) as stream:
        answer = await stream.get_final_completion()
    assert answer.choices[0].message.content == ANSWER
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 33


async def test_it_streams_a_completion(official: openai.AsyncOpenAI) -> None:
    stream = await official.completions.create(model="scripted", prompt="Hi", stream=True)
    assert "".join([chunk.choices[0].text async for chunk in stream]) == ANSWER[:16]


async def test_it_finds_a_model_whose_id_has_a_slash(official: openai.AsyncOpenAI) -> None:
    assert [model.id async for model in official.models.list()] == ["scripted", "org/scripted"]
    assert (await official.models.retrieve("org/scripted")).id == "org/scripted"


async def test_it_knows_each_error(official: openai.AsyncOpenAI, engine: ScriptedEngine) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        await official.chat.completions.create(model="other", messages=MESSAGES)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as refused:
        await official.chat.completions.create(model="scripted", messages=MESSAGES, n=0)
    assert refused.value.param == "n"
    engine.die()
    with pytest.raises(openai.InternalServerError) as died:
        await official.chat.completions.create(model="scripted", messages=MESSAGES)
    assert died.value.status_code == 503


async def test_it_raises_the_error_that_ends_a_stream(
    official: openai.AsyncOpenAI, engine: ScriptedEngine
) -> None:
    stream = await official.chat.completions.create(model="scripted", messages=MESSAGES, stream=True)
    await anext(stream)
    engine.die()
    with pytest.raises(openai.APIError, match="died"):
        [chunk async for chunk in stream]
