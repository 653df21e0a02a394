"""The flows of the clients in this folder, and the expected results of the two official Python clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import openai
import pytest
from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai.types import Completion, CreateEmbeddingResponse, Model
    from openai.types.chat import (
        ChatCompletion,
        ChatCompletionChunk,
        ChatCompletionMessageParam,
        ParsedChatCompletion,
    )

    Body = dict[str, Any]
    Messages = list[ChatCompletionMessageParam]

KEY: Final = "sk-of-the-tests"
PATIENCE: Final = 60.0
"""Seconds after which a hanging test is stopped; no test waits for this limit."""

TOO_SHORT: Final = 0.3
"""Seconds within which no answer to `ENDLESS` ends."""

PARIS: Final[Messages] = [{"role": "user", "content": "Repeat after me: I love Paris."}]
"""The model answers "I love Paris.". Answers are short in all flows, because tokens take most of the time."""

BRIEF: Final = "Answer in one short sentence."
TALK: Final[Messages] = [
    {"role": "user", "content": "My name is Ada."},
    {"role": "assistant", "content": "Nice to meet you, Ada."},
    {"role": "user", "content": "What is my name?"},
]
COLOUR: Final[Messages] = [{"role": "user", "content": "Name a colour."}]
LAMP: Final[Messages] = [{"role": "user", "content": "Make the lamp teal."}]
LAMP_IS_TEAL: Final = "The lamp is teal now."
ADA: Final[Messages] = [{"role": "user", "content": "Ada is 36 years old. Describe her."}]
PROMPTS: Final = ["The capital of France is", "One, two, three,"]
TEXTS: Final = ["A cat sleeps on the mat.", "A kitten naps on the rug.", "Shares fell sharply on Monday."]
"""The first two have nearly the same meaning."""

NEVER_ENDS: Final = {"2": -100}
"""The bias against the token that ends an answer of SmolLM2."""


class SetColour(BaseModel):
    """Sets the colour of the lamp."""

    colour: Literal["teal", "red"]


class Person(BaseModel):
    """Somebody."""

    name: Literal["Ada", "Grace"]
    age: int = Field(ge=1, le=99)


SET_COLOUR: Final = openai.pydantic_function_tool(SetColour, name="set_colour")

# The requests of both forms of the official Python client, by operation.
ANSWER: Final[Body] = {
    "model": "smollm2", "messages": PARIS, "temperature": 0, "max_completion_tokens": 12,
}  # fmt: skip
COUNTED_STREAM: Final[Body] = ANSWER | {"stream": True, "stream_options": {"include_usage": True}}
TALKS: Final[list[Body]] = [
    {"model": "smollm2", "messages": messages, "temperature": 0, "max_tokens": 3}
    for messages in (
        [{"role": "system", "content": BRIEF}, *TALK],
        [{"role": "developer", "content": BRIEF}, *TALK],
        [{"role": "system", "content": BRIEF}, TALK[-1]],
    )
]
DICE: Final[Body] = {
    "model": "smollm2", "messages": COLOUR, "temperature": 1.2, "n": 3, "seed": 7,
    "logprobs": True, "top_logprobs": 2, "max_tokens": 3,
}  # fmt: skip
ENDS: Final[list[Body]] = [
    {"model": "smollm2", "messages": PARIS, "temperature": 0} | end
    for end in ({"max_tokens": 12}, {"max_tokens": 12, "stop": ["\n\n", " Paris"]}, {"max_tokens": 3})
]
FORCED_CALL: Final[Body] = {
    "model": "smollm2", "messages": LAMP, "tools": [SET_COLOUR],
    "tool_choice": {"type": "function", "function": {"name": "set_colour"}},
    "temperature": 0, "max_tokens": 40,
}  # fmt: skip
REQUIRED_CALL: Final[Body] = FORCED_CALL | {"tool_choice": "required", "parallel_tool_calls": False}
PERSON: Final[Body] = {
    "model": "smollm2", "messages": ADA, "response_format": Person, "temperature": 0, "max_tokens": 40,
}  # fmt: skip
COMPLETIONS: Final[Body] = {
    "model": "smollm2", "prompt": PROMPTS, "temperature": 0, "max_tokens": 3, "logprobs": 2,
}  # fmt: skip
ENDLESS: Final[Body] = {
    "model": "smollm2", "messages": PARIS, "max_tokens": 4000, "logit_bias": NEVER_ENDS,
}  # fmt: skip


def after_call(called: ParsedChatCompletion[None]) -> Body:
    """The messages that give the model the result of its one call."""
    message = called.choices[0].message
    assert message.tool_calls
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": LAMP_IS_TEAL}
    return {"model": "smollm2", "messages": [*LAMP, message, result], "temperature": 0, "max_tokens": 3}


def check_models(models: Sequence[Model], found: Model) -> None:
    assert [model.id for model in models] == ["smollm2", "minilm"]
    assert found == models[1]


def check_answer(answer: ChatCompletion) -> str:
    """Check the answer, and return its text."""
    said = answer.choices[0].message.content
    assert said is not None
    assert "Paris" in said
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer._request_id
    return said


def check_stream(chunks: Sequence[ChatCompletionChunk], whole: ChatCompletion) -> None:
    """A stream with usage gives the same as the whole answer."""
    *parts, last = chunks
    assert "".join(part.choices[0].delta.content or "" for part in parts) == whole.choices[0].message.content
    assert parts[-1].choices[0].finish_reason == whole.choices[0].finish_reason
    assert last.choices == []
    assert last.usage is not None
    assert whole.usage is not None
    assert last.usage.completion_tokens == whole.usage.completion_tokens
    assert last.usage.prompt_tokens == whole.usage.prompt_tokens


def check_talk(by_system: ChatCompletion, by_developer: ChatCompletion, alone: ChatCompletion) -> None:
    """Both roles have the same effect, and the model has read the conversation."""
    assert by_system.choices[0].message.content
    assert by_system.choices[0].message == by_developer.choices[0].message
    assert by_system.usage is not None
    assert alone.usage is not None
    assert by_system.usage.prompt_tokens > alone.usage.prompt_tokens


def check_choices(answer: ChatCompletion, again: ChatCompletion) -> None:
    """Three sampled answers that are repeated by the same seed, each with the log probabilities of its tokens."""
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in answer.choices}) > 1
    assert [c.message.content for c in answer.choices] == [c.message.content for c in again.choices]
    for choice in answer.choices:
        assert choice.logprobs is not None
        tokens = choice.logprobs.content
        assert tokens
        assert b"".join(bytes(t.bytes or ()) for t in tokens).decode() == choice.message.content
        assert all(token.logprob <= 0 and len(token.top_logprobs) == 2 for token in tokens)


def check_ends(whole: ChatCompletion, stopped: ChatCompletion, short: ChatCompletion) -> None:
    """One answer that ended by itself, one before " Paris", and one after three tokens."""
    said = whole.choices[0].message.content
    assert said is not None
    assert stopped.choices[0].message.content == said.partition(" Paris")[0] != said
    assert stopped.choices[0].finish_reason == "stop"
    assert short.choices[0].finish_reason == "length"
    assert short.usage is not None
    assert short.usage.completion_tokens == 3


def check_call(answer: ParsedChatCompletion[None]) -> None:
    """The one forced call."""
    assert answer.choices[0].message.content is None
    assert answer.choices[0].message.tool_calls
    (call,) = answer.choices[0].message.tool_calls
    assert call.function.name == "set_colour"
    assert isinstance(call.function.parsed_arguments, SetColour)


def check_result_was_read(first: ChatCompletion, second: ChatCompletion) -> None:
    message = second.choices[0].message
    assert message.content or message.tool_calls
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.prompt_tokens > first.usage.prompt_tokens


def check_streamed_call(fragments: Sequence[str], answer: ParsedChatCompletion[None]) -> None:
    assert answer.choices[0].finish_reason == "tool_calls"
    assert answer.choices[0].message.tool_calls
    (call,) = answer.choices[0].message.tool_calls
    assert len(fragments) > 1
    assert "".join(fragments) == call.function.arguments
    assert call.function.parsed_arguments == SetColour.model_validate_json(call.function.arguments)


def check_completion(answer: Completion) -> None:
    """A choice for each prompt, with log probabilities in the form of this operation."""
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert answer.choices[0].text.startswith(" Paris")
    for choice in answer.choices:
        assert choice.finish_reason == "length"
        assert choice.logprobs is not None
        assert "".join(choice.logprobs.tokens or ()) == choice.text
        assert len(choice.logprobs.token_logprobs or ()) == 3
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 6


def check_embeddings(packed: CreateEmbeddingResponse, plain: CreateEmbeddingResponse) -> None:
    """The same vectors from base64, which this client requests by default, and from numbers."""
    assert [entry.index for entry in packed.data] == [0, 1, 2]
    for one, other in zip(packed.data, plain.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)
    check_vectors([entry.embedding for entry in packed.data])


def check_vectors(vectors: Sequence[Sequence[float]]) -> None:
    """The vectors of `TEXTS`: of length 1, and closer to each other if the texts have nearly the same meaning."""
    cat, kitten, shares = vectors
    assert (len(cat), _product(cat, cat)) == (384, pytest.approx(1, abs=1e-5))
    assert _product(cat, kitten) > _product(cat, shares) + 0.3


def check_error(error: openai.APIStatusError, param: str | None, code: str) -> None:
    assert (error.param, error.code) == (param, code)
    assert error.request_id


def _product(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))
