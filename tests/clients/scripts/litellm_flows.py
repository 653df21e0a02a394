# /// script
# requires-python = ">=3.11"
# dependencies = ["litellm==1.109.1"]
# [tool.uv]
# exclude-newer = "2026-11-14T00:00:00Z"
# ///
"""Everyday flows of LiteLLM."""

import json
import os
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # otherwise it is fetched from the Internet

import litellm
from told import ADA, API_KEY, BASE_URL, HELLO, LAMP, LAMP_IS_TEAL, MODEL, tell

ASKED: dict[str, Any] = {
    "model": f"openai/{MODEL}", "base_url": BASE_URL, "api_key": API_KEY, "max_retries": 0, "temperature": 0,
}  # fmt: skip
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
SET_COLOUR = {
    "type": "function",
    "function": {
        "name": "set_colour",
        "description": "Sets the colour of the lamp.",
        "parameters": {
            "type": "object",
            "properties": {"colour": {"type": "string"}},
            "required": ["colour"],
        },
    },
}


def said(content: str) -> list[Any]:
    return [{"role": "user", "content": content}]


def it_gets_an_answer() -> None:
    answer = litellm.completion(messages=said("Hi"), **ASKED)
    assert answer.choices[0].message.content == HELLO
    assert answer.usage.completion_tokens > 0


def it_streams_an_answer_with_its_cost() -> None:
    chunks = list(
        litellm.completion(messages=said("Hi"), stream=True, stream_options={"include_usage": True}, **ASKED)
    )
    whole = litellm.stream_chunk_builder(chunks, messages=said("Hi"))
    assert len(chunks) > 2
    assert whole.choices[0].message.content == HELLO
    assert whole.choices[0].finish_reason == "stop"
    assert whole.usage.completion_tokens == len(HELLO) + 1


def it_has_a_tool_called_and_tells_the_result() -> None:
    asked = litellm.completion(messages=said(LAMP), tools=[SET_COLOUR], **ASKED).choices[0]
    assert asked.finish_reason == "tool_calls"
    (call,) = asked.message.tool_calls
    assert json.loads(call.function.arguments) == {"colour": "teal"}
    result = {"role": "tool", "tool_call_id": call.id, "name": "set_colour", "content": LAMP_IS_TEAL}
    history = [*said(LAMP), asked.message, result]
    answer = litellm.completion(messages=history, tools=[SET_COLOUR], **ASKED)
    assert answer.choices[0].message.content == LAMP_IS_TEAL


def it_puts_a_streamed_call_together() -> None:
    chunks = list(litellm.completion(messages=said(LAMP), tools=[SET_COLOUR], stream=True, **ASKED))
    (call,) = litellm.stream_chunk_builder(chunks).choices[0].message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == ("set_colour", {"colour": "teal"})


def it_gets_an_object_by_a_schema() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "person", "schema": SCHEMA, "strict": True}}
    answer = litellm.completion(messages=said(ADA), response_format=schema, **ASKED)
    assert json.loads(answer.choices[0].message.content) == {"name": "Ada", "age": 36}


def it_embeds_texts() -> None:
    where = {"api_base": BASE_URL, "api_key": API_KEY}
    answer = litellm.embedding(model="openai/vectors", input=["A cat.", "A kitten."], **where)
    assert [len(one["embedding"]) for one in answer.data] == [64, 64]


def it_raises_each_error_by_its_type() -> None:
    for changes, kind in (
        ({"api_key": "wrong"}, litellm.AuthenticationError),
        ({"model": "openai/nothing"}, litellm.NotFoundError),
        ({"temperature": 3}, litellm.BadRequestError),
    ):
        try:
            litellm.completion(messages=said("Hi"), **(ASKED | changes))
        except kind:
            continue
        raise AssertionError(changes)


if __name__ == "__main__":
    tell(globals())
