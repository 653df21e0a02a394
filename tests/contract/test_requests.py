"""The request schemas: what they accept and reject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Admits = Callable[[str, object], bool]

USER = {"role": "user", "content": "Hello."}
CHAT: dict[str, Any] = {"model": "m", "messages": [USER]}
COMPLETION: dict[str, Any] = {"model": "m", "prompt": "Once"}
EMBEDDING: dict[str, Any] = {"model": "m", "input": "Once"}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
FUNCTION = {"type": "function", "function": {"name": "f"}}
INT64 = 2**63


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0},
        {"temperature": 2, "top_p": 1, "frequency_penalty": -2, "presence_penalty": 2},
        {"n": 128, "max_completion_tokens": 1, "max_tokens": 1, "top_logprobs": 20},
        {"seed": -INT64},
        {"seed": INT64 - 1},
        {"stop": "."},
        {"stop": ["a", "b", "c", "d"]},
        {"logit_bias": {"50256": -100, "0": 100}},
        {"stream": True, "stream_options": {"include_usage": True, "include_obfuscation": False}},
        {"reasoning_effort": "minimal", "service_tier": "flex"},
        {"metadata": {"k" * 64: "v" * 512}, "safety_identifier": "s" * 64, "user": "u", "store": True},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "a-Z_9", "schema": {}}}},
        {"response_format": {"type": "json_object"}},
        {"tools": [FUNCTION], "tool_choice": "required", "parallel_tool_calls": False},
        {"tools": [FUNCTION], "tool_choice": FUNCTION},
        {
            "tool_choice": {
                "type": "allowed_tools",
                "allowed_tools": {"mode": "auto", "tools": [FUNCTION]},
            }
        },
        {"messages": [{"role": "developer", "content": [{"type": "text", "text": "a"}]}]},
        {"messages": [USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}]},
        {"messages": [{"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}]},
        {"messages": [{"role": "tool", "content": "1", "tool_call_id": "c"}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,x"}}]}]},
        {"messages": [{"role": "tool", "content": "1", "tool_call_id": "c", "name": "f"}]},
        {"messages": [USER, {"role": "assistant", "content": "a", "tool_calls": None, "annotations": None}]},
        {"messages": [{"role": "assistant", "content": "a", "reasoning_content": "b"}]},
        {
            "messages": [
                {"role": "user", "content": "a", "name": None, "cache_control": {"type": "ephemeral"}}
            ]
        },
        {"modalities": ["text"], "verbosity": "low", "prompt_cache_retention": "24h"},
        {"prediction": {"type": "content", "content": "a"}, "chat_template_kwargs": {"thinking": True}},
        {"unknown": 1},
    ],
    ids=str,
)
def test_a_chat_request_may_have(admits: Admits, fields: dict[str, Any]) -> None:
    assert admits("CreateChatCompletionRequest", CHAT | fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"model": ""},
        {"model": None},
        {"messages": []},
        {"messages": [{"role": "function", "name": "f", "content": "1"}]},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [{"role": "user", "content": None}]},
        {"messages": [{"role": "system", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
        {"messages": [{"role": "tool", "content": "1"}]},
        {"temperature": 2.1},
        {"temperature": "1"},
        {"top_p": -0.1},
        {"n": 0},
        {"n": 129},
        {"n": True},
        {"max_completion_tokens": 0},
        {"max_tokens": -1},
        {"max_tokens": 1.5},
        {"seed": INT64},
        {"seed": -INT64 - 1},
        {"stop": []},
        {"stop": ["a", "b", "c", "d", "e"]},
        {"stop": [1]},
        {"logit_bias": {"1": 101}},
        {"logit_bias": {"one": 1}},
        {"logprobs": 1},
        {"top_logprobs": 21},
        {"frequency_penalty": 3},
        {"tools": [{"type": "custom", "custom": {"name": "f"}}]},
        {"tools": [{"type": "function", "function": {"name": "a b"}}]},
        {"tools": [{"type": "function", "function": {"name": "f" * 65}}]},
        {"tool_choice": "any"},
        {"response_format": {"type": "xml"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": ""}}},
        {"metadata": {"k" * 65: "v"}},
        {"metadata": {"k": "v" * 513}},
        {"metadata": {str(i): "" for i in range(17)}},
        {"safety_identifier": "s" * 65},
        {"reasoning_effort": "huge"},
    ],
    ids=str,
)
def test_a_chat_request_may_not_have(admits: Admits, fields: dict[str, Any]) -> None:
    assert not admits("CreateChatCompletionRequest", CHAT | fields)


NULLABLE_IN_BOTH = [
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_tokens",
    "n",
    "presence_penalty",
    "seed",
    "stop",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "user",
]


@pytest.mark.parametrize(
    "name",
    [
        *NULLABLE_IN_BOTH,
        "chat_template_kwargs",
        "max_completion_tokens",
        "metadata",
        "modalities",
        "parallel_tool_calls",
        "prediction",
        "prompt_cache_key",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "service_tier",
        "store",
        "tool_choice",
        "tools",
        "top_logprobs",
        "verbosity",
    ],
)
def test_null_stands_for_an_absent_field_of_a_chat_request(admits: Admits, name: str) -> None:
    assert admits("CreateChatCompletionRequest", {**CHAT, name: None})


@pytest.mark.parametrize("name", [*NULLABLE_IN_BOTH, "best_of", "echo", "suffix", "prompt"])
def test_null_stands_for_an_absent_field_of_a_completion_request(admits: Admits, name: str) -> None:
    assert admits("CreateCompletionRequest", {**COMPLETION, name: None})


@pytest.mark.parametrize("prompt", ["", "a", ["a", ""], [1, 2], [[1], [2, 3]]], ids=str)
def test_a_prompt_is_text_or_tokens_one_or_several(admits: Admits, prompt: object) -> None:
    assert admits("CreateCompletionRequest", COMPLETION | {"prompt": prompt})


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": []},
        {"prompt": [[]]},
        {"prompt": ["a", 1]},
        {"prompt": [-1]},
        {"prompt": 1},
        {"best_of": 21},
        {"logprobs": 6},
        {"logprobs": True},
        {"max_tokens": -1},
        {"suffix": 1},
    ],
    ids=str,
)
def test_a_completion_request_may_not_have(admits: Admits, fields: dict[str, Any]) -> None:
    assert not admits("CreateCompletionRequest", COMPLETION | fields)


@pytest.mark.parametrize("entry", ["a", ["a"] * 2048, [1] * 2048, [[1]] * 2048], ids=lambda one: str(one)[:6])
def test_an_input_is_text_or_tokens_one_or_several(admits: Admits, entry: object) -> None:
    assert admits("CreateEmbeddingRequest", EMBEDDING | {"input": entry})


@pytest.mark.parametrize(
    "fields",
    [
        {"input": ""},
        {"input": [""]},
        {"input": []},
        {"input": [[]]},
        {"input": ["a"] * 2049},
        {"input": None},
        {"encoding_format": "int8"},
        {"dimensions": 0},
        {"unknown": 1},
    ],
    ids=lambda one: str(one)[:30],
)
def test_an_embedding_request_may_not_have(admits: Admits, fields: dict[str, Any]) -> None:
    assert not admits("CreateEmbeddingRequest", EMBEDDING | fields)


@pytest.mark.parametrize("name", ["dimensions", "encoding_format", "user"])
def test_null_stands_for_an_absent_field_of_an_embedding_request(admits: Admits, name: str) -> None:
    assert admits("CreateEmbeddingRequest", {**EMBEDDING, name: None})
