"""The response schemas: what they accept and reject; the samples have the form of the live API's answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Admits = Callable[[str, object], bool]

HEAD = {"id": "c-1", "created": 1767225600, "model": "m"}
USAGE = {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3}
TOKEN = {"token": "é", "logprob": -0.5, "bytes": [195, 169], "top_logprobs": []}
MESSAGE = {"role": "assistant", "content": "Hello.", "refusal": None}
CHOICE = {"index": 0, "message": MESSAGE, "logprobs": None, "finish_reason": "stop"}
TEXT_CHOICE = {"index": 0, "text": "a", "logprobs": None, "finish_reason": "length"}
ERROR = {"error": {"message": "No.", "type": "server_error", "param": None, "code": None}}


def chunk(*choices: dict[str, Any], **fields: object) -> dict[str, Any]:
    return {**HEAD, "object": "chat.completion.chunk", "choices": list(choices), **fields}


def piece(delta: dict[str, Any], **fields: object) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": None, **fields}


def calls(*fragments: dict[str, Any]) -> dict[str, Any]:
    return piece({"tool_calls": list(fragments)})


CHUNKS = [
    chunk(piece({"role": "assistant", "content": "", "refusal": None}), system_fingerprint="fp_1"),
    chunk(piece({"role": "assistant", "content": None}), usage=None, system_fingerprint=None),
    chunk(piece({"content": "Hel"}, logprobs=None)),
    chunk(piece({"content": "é"}, logprobs={"content": [TOKEN], "refusal": None}), obfuscation="xyz"),
    chunk(piece({"refusal": "No."}, logprobs={"content": None, "refusal": [TOKEN | {"bytes": None}]})),
    chunk(calls({"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}})),
    chunk(calls({"index": 0, "function": {"arguments": '{"a'}})),
    chunk(calls({"index": 1})),
    chunk(piece({"content": "a"}), {**piece({"content": "b"}), "index": 1}),
    chunk(piece({}, finish_reason="tool_calls"), service_tier=None),
    chunk(usage=USAGE | {"completion_tokens_details": {"reasoning_tokens": 0}}),
    chunk(piece({"content": "a", "reasoning_content": "b"}), provider="x"),
]


@pytest.mark.parametrize("sample", CHUNKS, ids=lambda one: json.dumps(one["choices"])[:60])
def test_a_chunk_may_be(admits: Admits, sample: dict[str, Any]) -> None:
    assert admits("ChatCompletionChunk", sample)


@pytest.mark.parametrize(
    "sample",
    [
        chunk(piece({}, finish_reason="")),
        chunk(piece({}, finish_reason="eos_token")),
        chunk({"index": 0, "delta": {}}),
        chunk({"index": 0, "finish_reason": None}),
        chunk(piece({"role": ""})),
        chunk(piece({"tool_calls": None})),
        chunk(calls({"id": "c"})),
        chunk(calls({"index": 0, "id": None})),
        chunk(piece({}), object="chat.completion"),
        chunk(piece({}), created=1767225600.5),
        chunk(piece({}), usage={}),
        {key: value for key, value in chunk().items() if key != "choices"},
        chunk() | {"choices": None},
    ],
    ids=str,
)
def test_a_chunk_may_not_be(admits: Admits, sample: dict[str, Any]) -> None:
    assert not admits("ChatCompletionChunk", sample)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"usage": USAGE, "system_fingerprint": None, "service_tier": "default", "timings": {}},
        {"choices": [CHOICE | {"logprobs": {"content": [TOKEN], "refusal": None}}]},
        {"choices": [CHOICE | {"message": MESSAGE | {"content": None, "reasoning": "because"}}]},
        {"choices": [CHOICE, CHOICE | {"index": 1, "finish_reason": "function_call"}]},
    ],
    ids=str,
)
def test_a_chat_completion_may_have(admits: Admits, fields: dict[str, Any]) -> None:
    assert admits("ChatCompletion", {**HEAD, "object": "chat.completion", "choices": [CHOICE]} | fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"choices": [{key: value for key, value in CHOICE.items() if key != "logprobs"}]},
        {"choices": [CHOICE | {"finish_reason": None}]},
        {"choices": [CHOICE | {"index": -1}]},
        {"choices": [CHOICE | {"message": {"role": "assistant", "content": "a"}}]},
        {"choices": [CHOICE | {"message": MESSAGE | {"role": "model"}}]},
        {"choices": [CHOICE | {"message": MESSAGE | {"tool_calls": None}}]},
        {"created": "now"},
        {"usage": {"prompt_tokens": 1}},
        {"usage": USAGE | {"total_tokens": None}},
        {"object": "chat.completions"},
    ],
    ids=str,
)
def test_a_chat_completion_may_not_have(admits: Admits, fields: dict[str, Any]) -> None:
    assert not admits("ChatCompletion", {**HEAD, "object": "chat.completion", "choices": [CHOICE]} | fields)


def test_a_completion_with_echo_has_no_probability_for_its_first_token(admits: Admits) -> None:
    logprobs = {
        "tokens": ["a", "b"],
        "token_logprobs": [None, -0.5],
        "top_logprobs": [None, {"b": -0.5}],
        "text_offset": [0, 1],
    }
    body = {**HEAD, "object": "text_completion", "choices": [TEXT_CHOICE | {"logprobs": logprobs}]}
    assert admits("Completion", body)


def test_only_a_piece_of_a_completion_leaves_the_finish_reason_open(admits: Admits) -> None:
    body = {**HEAD, "object": "text_completion", "choices": [TEXT_CHOICE | {"finish_reason": None}]}
    assert admits("CompletionChunk", body)
    assert admits("CompletionChunk", body | {"choices": [], "usage": USAGE})
    assert not admits("Completion", body)


@pytest.mark.parametrize("vector", [[0.5, -1, 0], "AAAAPw=="], ids=str)
def test_an_embedding_is_numbers_or_base64(admits: Admits, vector: object) -> None:
    assert admits("Embedding", {"object": "embedding", "index": 0, "embedding": vector})


@pytest.mark.parametrize("vector", [None, ["0.5"], 0.5], ids=str)
def test_an_embedding_is_nothing_else(admits: Admits, vector: object) -> None:
    assert not admits("Embedding", {"object": "embedding", "index": 0, "embedding": vector})


def test_a_model_needs_no_extension_and_keeps_to_it_where_it_has_one(admits: Admits) -> None:
    model = {"id": "org/m", "object": "model", "created": 0, "owned_by": "local"}
    assert admits("Model", model)
    assert admits(
        "Model", model | {"type": "chat", "context_length": 1, "loaded": False, "shutdown_date": None}
    )
    assert not admits("Model", model | {"type": "llm"})
    assert not admits("Model", model | {"context_length": 0})
    assert not admits("Model", model | {"loaded": "yes"})


@pytest.mark.parametrize("missing", ["message", "type", "param", "code"])
def test_an_error_has_all_four_keys(admits: Admits, missing: str) -> None:
    error = {key: value for key, value in ERROR["error"].items() if key != missing}
    assert admits("ErrorEnvelope", ERROR)
    assert not admits("ErrorEnvelope", {"error": error})
