"""Ten everyday flows of LangChain's OpenAI classes on a real server with real models."""

from __future__ import annotations

from contextlib import aclosing
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import openai
import pytest
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings

from . import flows
from .flows import Person, SetColour

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Served

    Make = Callable[..., ChatOpenAI]

pytestmark = pytest.mark.parametrize("served", ["straight", "gateway"], indirect=True)

PARIS = [HumanMessage("Repeat after me: I love Paris.")]
LAMP = [HumanMessage("Make the lamp teal.")]
TALK = [
    HumanMessage("My name is Ada."),
    AIMessage("Nice to meet you, Ada."),
    HumanMessage("What is my name?"),
]


@tool("set_colour", args_schema=SetColour)
def set_colour(colour: str) -> str:
    """Sets the colour of the lamp."""
    return f"The lamp is {colour} now."


@pytest.fixture
def where(served: Served) -> dict[str, Any]:
    return {"base_url": served.base_url, "api_key": flows.KEY, "max_retries": 0, "timeout": flows.PATIENCE}


@pytest.fixture
def chat(where: dict[str, Any]) -> Make:
    """A model, greedy and with at most 12 tokens by default."""

    def make(**options: object) -> ChatOpenAI:
        return ChatOpenAI(**{"model": "smollm2", "temperature": 0, "max_tokens": 12} | where | options)

    return make


def test_its_client_lists_the_models_and_finds_one(chat: Make) -> None:
    models = chat().root_client.models
    flows.check_models(list(models.list()), models.retrieve("minilm"))


def test_it_gets_an_answer(chat: Make) -> None:
    answer = chat().invoke(PARIS)
    assert "Paris" in answer.content
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata
    assert answer.usage_metadata["output_tokens"] > 0


def test_it_streams_the_same_answer_with_its_cost(chat: Make) -> None:
    whole = chat().invoke(PARIS)
    chunks = list(chat(stream_usage=True).stream(PARIS))
    answer = reduce(add, chunks)
    assert len(chunks) > 3
    assert answer.content == whole.content
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata
    assert whole.usage_metadata
    assert answer.usage_metadata["output_tokens"] == whole.usage_metadata["output_tokens"]


def test_it_carries_a_conversation_on(chat: Make) -> None:
    developer = SystemMessage(flows.BRIEF, additional_kwargs={"__openai_role__": "developer"})
    by_system, by_developer, alone = chat(max_tokens=3).batch(
        [
            [SystemMessage(flows.BRIEF), *TALK],
            [developer, *TALK],
            [SystemMessage(flows.BRIEF), TALK[-1]],
        ]
    )
    assert by_system.content == by_developer.content != ""
    assert by_system.usage_metadata["input_tokens"] > alone.usage_metadata["input_tokens"]


def test_it_gets_several_answers_with_a_seed_and_log_probabilities(chat: Make) -> None:
    model = chat(temperature=1.2, n=3, seed=7, logprobs=True, top_logprobs=2, max_tokens=3)
    answer, again = (model.generate([[HumanMessage("Name a colour.")]]).generations[0] for _ in range(2))
    said = [one.text for one in answer]
    assert len(said) == 3
    assert said == [one.text for one in again]
    for one in answer:
        tokens = one.generation_info["logprobs"]["content"]
        assert b"".join(bytes(token["bytes"]) for token in tokens).decode() == one.text
        assert all(len(token["top_logprobs"]) == 2 for token in tokens)


def test_it_ends_answers_by_a_string_and_by_a_limit(chat: Make) -> None:
    whole = chat().invoke(PARIS).content
    stopped = chat().invoke(PARIS, stop=["\n\n", " Paris"])
    assert stopped.content == whole.partition(" Paris")[0] != whole
    assert stopped.response_metadata["finish_reason"] == "stop"
    short = chat(max_tokens=3).invoke(PARIS)
    assert short.response_metadata["finish_reason"] == "length"
    assert short.usage_metadata["output_tokens"] == 3


def test_it_calls_a_tool_and_sends_the_result(chat: Make) -> None:
    model = chat(max_tokens=40)
    asked = model.bind_tools([set_colour], tool_choice="set_colour").invoke(LAMP)
    (call,) = asked.tool_calls
    assert call["name"] == "set_colour"
    result = set_colour.invoke(call)
    assert isinstance(result, ToolMessage)
    answer = chat(max_tokens=3).bind_tools([set_colour]).invoke([*LAMP, asked, result])
    assert answer.content or answer.tool_calls
    assert answer.usage_metadata["input_tokens"] > asked.usage_metadata["input_tokens"]


def test_it_joins_a_streamed_call_and_sends_the_result(chat: Make) -> None:
    model = chat(max_tokens=40).bind_tools(
        [set_colour], tool_choice="required", parallel_tool_calls=False, strict=True
    )
    chunks = list(model.stream(LAMP))
    assert sum(len(chunk.tool_call_chunks) for chunk in chunks) > 2
    asked = reduce(add, chunks)
    assert isinstance(asked, AIMessageChunk)
    (call,) = asked.tool_calls
    SetColour.model_validate(call["args"])
    assert asked.response_metadata["finish_reason"] == "tool_calls"
    assert chat(max_tokens=3).invoke([*LAMP, asked, set_colour.invoke(call)]).content


def test_it_gets_an_object_of_its_own_type(chat: Make) -> None:
    model = chat(max_tokens=40).with_structured_output(Person)
    assert isinstance(model.invoke("Ada is 36 years old. Describe her."), Person)


def test_it_completes_several_prompts(where: dict[str, Any]) -> None:
    model = OpenAI(model="smollm2", temperature=0, max_tokens=3, logprobs=2, **where)
    answer = model.generate(flows.PROMPTS)
    (first,), (second,) = answer.generations
    assert first.text.startswith(" Paris")
    for one in (first, second):
        assert "".join(one.generation_info["logprobs"]["tokens"]) == one.text
    assert answer.llm_output["token_usage"]["completion_tokens"] == 6


def test_it_embeds_texts(where: dict[str, Any]) -> None:
    # By default it splits texts with the tokenizer of OpenAI's models, which it downloads.
    embeddings = OpenAIEmbeddings(model="minilm", check_embedding_ctx_length=False, **where)
    vectors = embeddings.embed_documents(flows.TEXTS)
    flows.check_vectors(vectors)
    assert embeddings.embed_query(flows.TEXTS[0]) == pytest.approx(vectors[0], abs=1e-6)


def test_it_raises_each_error_by_its_type(chat: Make) -> None:
    with pytest.raises(openai.AuthenticationError) as refused:
        chat(api_key="wrong").invoke(PARIS)
    flows.check_error(refused.value, None, "invalid_api_key")
    with pytest.raises(openai.NotFoundError) as missing:
        chat(model="nothing").invoke(PARIS)
    flows.check_error(missing.value, "model", "model_not_found")
    with pytest.raises(openai.BadRequestError) as bad:
        chat(temperature=3).invoke(PARIS)
    flows.check_error(bad.value, "temperature", "invalid_value")
    with pytest.raises(ContextOverflowError):
        chat(max_tokens=9000).invoke(PARIS)


@pytest.mark.anyio
async def test_it_disconnects_during_a_stream_and_the_server_is_free(chat: Make, served: Served) -> None:
    endless = chat(max_tokens=4000, logit_bias=flows.NEVER_ENDS)
    async with aclosing(endless.astream(PARIS)) as stream:
        await anext(stream)
    await served.seen_free()
    with pytest.raises(openai.APITimeoutError):
        await chat(
            max_tokens=4000, logit_bias=flows.NEVER_ENDS, timeout=flows.TOO_SHORT, stream_chunk_timeout=None
        ).ainvoke(PARIS)
    await served.seen_free()
    assert (await chat(max_tokens=1).ainvoke(PARIS)).content
