"""Ten everyday flows of the official Python client, in its asynchronous form, on a real server with real models."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import openai
import pytest

from . import flows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .conftest import Served

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(served: Served) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=served.base_url, api_key=flows.KEY, max_retries=0, timeout=flows.PATIENCE
    ) as client:
        yield client


async def test_it_lists_the_models_and_finds_one(client: openai.AsyncOpenAI) -> None:
    flows.check_models(
        [model async for model in client.models.list()], await client.models.retrieve("minilm")
    )


async def test_it_gets_an_answer(client: openai.AsyncOpenAI) -> None:
    flows.check_answer(await client.chat.completions.create(**flows.ANSWER))


async def test_it_streams_the_same_answer_with_its_cost(client: openai.AsyncOpenAI) -> None:
    whole = await client.chat.completions.create(**flows.ANSWER)
    stream = await client.chat.completions.create(**flows.COUNTED_STREAM)
    flows.check_stream([chunk async for chunk in stream], whole)


async def test_it_carries_conversations_on_at_once(client: openai.AsyncOpenAI) -> None:
    flows.check_talk(*await asyncio.gather(*(client.chat.completions.create(**talk) for talk in flows.TALKS)))


async def test_it_gets_several_answers_with_a_seed_and_log_probabilities(client: openai.AsyncOpenAI) -> None:
    answer, again = await asyncio.gather(*(client.chat.completions.create(**flows.DICE) for _ in range(2)))
    flows.check_choices(answer, again)


async def test_it_ends_answers_by_a_string_and_by_a_limit(client: openai.AsyncOpenAI) -> None:
    flows.check_ends(*await asyncio.gather(*(client.chat.completions.create(**end) for end in flows.ENDS)))


async def test_it_calls_a_tool_and_sends_the_result(client: openai.AsyncOpenAI) -> None:
    first = await client.chat.completions.parse(**flows.FORCED_CALL)
    flows.check_call(first)
    second = await client.chat.completions.create(**flows.after_call(first), tools=[flows.SET_COLOUR])
    flows.check_result_was_read(first, second)


async def test_it_joins_a_streamed_call_and_sends_the_result(client: openai.AsyncOpenAI) -> None:
    async with client.chat.completions.stream(**flows.REQUIRED_CALL) as stream:
        fragments = [
            event.arguments_delta
            async for event in stream
            if event.type == "tool_calls.function.arguments.delta"
        ]
        first = await stream.get_final_completion()
    flows.check_streamed_call(fragments, first)
    second = await client.chat.completions.create(**flows.after_call(first))
    assert second.choices[0].message.content


async def test_it_gets_an_object_of_its_own_type_as_it_is_written(client: openai.AsyncOpenAI) -> None:
    async with client.chat.completions.stream(**flows.PERSON) as stream:
        (done,) = [event async for event in stream if event.type == "content.done"]
        answer = await stream.get_final_completion()
    assert isinstance(done.parsed, flows.Person)
    assert answer.choices[0].message.parsed == done.parsed


async def test_it_completes_several_prompts(client: openai.AsyncOpenAI) -> None:
    flows.check_completion(await client.completions.create(**flows.COMPLETIONS))


async def test_it_embeds_texts_in_both_formats(client: openai.AsyncOpenAI) -> None:
    packed = await client.embeddings.create(model="minilm", input=flows.TEXTS)
    plain = await client.embeddings.create(model="minilm", input=flows.TEXTS, encoding_format="float")
    flows.check_embeddings(packed, plain)


async def test_it_raises_each_error_by_its_type(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.AuthenticationError) as refused:
        await client.with_options(api_key="wrong").models.list()
    flows.check_error(refused.value, None, "invalid_api_key")
    with pytest.raises(openai.NotFoundError) as missing:
        await client.chat.completions.create(model="nothing", messages=flows.PARIS)
    flows.check_error(missing.value, "model", "model_not_found")
    with pytest.raises(openai.BadRequestError) as bad:
        await client.chat.completions.create(model="smollm2", messages=flows.PARIS, temperature=3)
    flows.check_error(bad.value, "temperature", "invalid_value")


async def test_a_task_is_cancelled_in_the_middle_and_the_server_is_free(
    client: openai.AsyncOpenAI, served: Served
) -> None:
    begun = asyncio.Event()

    async def listen() -> None:
        async for _ in await client.chat.completions.create(**flows.ENDLESS, stream=True):
            begun.set()

    listening = asyncio.create_task(listen())
    await asyncio.wait_for(begun.wait(), flows.PATIENCE)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    await served.seen_free()
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(timeout=flows.TOO_SHORT).chat.completions.create(**flows.ENDLESS)
    await served.seen_free()
    assert (await client.completions.create(model="smollm2", prompt="One", max_tokens=1)).choices
