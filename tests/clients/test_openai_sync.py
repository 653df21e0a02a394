"""Ten everyday flows of the official Python client, in its blocking form, on a real server with real models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai
import pytest

from . import flows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Served


pytestmark = pytest.mark.parametrize("served", ["straight", "gateway"], indirect=True)


@pytest.fixture
def client(served: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=served.base_url, api_key=flows.KEY, max_retries=0, timeout=flows.PATIENCE
    ) as client:
        yield client


def test_it_lists_the_models_and_finds_one(client: openai.OpenAI) -> None:
    flows.check_models(list(client.models.list()), client.models.retrieve("minilm"))


def test_it_gets_an_answer(client: openai.OpenAI) -> None:
    flows.check_answer(client.chat.completions.create(**flows.ANSWER))


def test_it_streams_the_same_answer_with_its_cost(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(**flows.ANSWER)
    stream = client.chat.completions.create(**flows.COUNTED_STREAM)
    flows.check_stream(list(stream), whole)


def test_it_carries_a_conversation_on(client: openai.OpenAI) -> None:
    flows.check_talk(*(client.chat.completions.create(**talk) for talk in flows.TALKS))


def test_it_gets_several_answers_with_a_seed_and_log_probabilities(client: openai.OpenAI) -> None:
    answer, again = (client.chat.completions.create(**flows.DICE) for _ in range(2))
    flows.check_choices(answer, again)


def test_it_ends_answers_by_a_string_and_by_a_limit(client: openai.OpenAI) -> None:
    flows.check_ends(*(client.chat.completions.create(**end) for end in flows.ENDS))


def test_it_calls_a_tool_and_sends_the_result(client: openai.OpenAI) -> None:
    first = client.chat.completions.parse(**flows.FORCED_CALL)
    flows.check_call(first)
    second = client.chat.completions.create(**flows.after_call(first), tools=[flows.SET_COLOUR])
    flows.check_result_was_read(first, second)


def test_it_joins_a_streamed_call_and_sends_the_result(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(
        **flows.REQUIRED_CALL, stream_options={"include_usage": True}
    ) as stream:
        fragments = [
            event.arguments_delta for event in stream if event.type == "tool_calls.function.arguments.delta"
        ]
        first = stream.get_final_completion()
    flows.check_streamed_call(fragments, first)
    second = client.chat.completions.create(**flows.after_call(first))
    assert second.choices[0].message.content


def test_it_gets_an_object_of_its_own_type(client: openai.OpenAI) -> None:
    answer = client.chat.completions.parse(**flows.PERSON)
    assert isinstance(answer.choices[0].message.parsed, flows.Person)
    with pytest.raises(openai.LengthFinishReasonError):
        client.chat.completions.parse(**flows.PERSON | {"max_tokens": 3})


def test_it_completes_several_prompts(client: openai.OpenAI) -> None:
    flows.check_completion(client.completions.create(**flows.COMPLETIONS))


def test_it_embeds_texts_in_both_formats(client: openai.OpenAI) -> None:
    packed = client.embeddings.create(model="minilm", input=flows.TEXTS)
    plain = client.embeddings.create(model="minilm", input=flows.TEXTS, encoding_format="float")
    flows.check_embeddings(packed, plain)


def test_it_raises_each_error_by_its_type(client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError) as refused:
        client.with_options(api_key="wrong").models.list()
    flows.check_error(refused.value, None, "invalid_api_key")
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="nothing", messages=flows.PARIS)
    flows.check_error(missing.value, "model", "model_not_found")
    with pytest.raises(openai.BadRequestError) as bad:
        client.chat.completions.create(model="smollm2", messages=flows.PARIS, temperature=3)
    flows.check_error(bad.value, "temperature", "invalid_value")


def test_it_disconnects_during_a_stream_and_the_server_is_free(client: openai.OpenAI, served: Served) -> None:
    with client.chat.completions.create(**flows.ENDLESS, stream=True) as stream:
        next(iter(stream))
    served.wait_until_free()
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=flows.TOO_SHORT).chat.completions.create(**flows.ENDLESS)
    served.wait_until_free()
    assert client.completions.create(model="smollm2", prompt="One", max_tokens=1).choices
