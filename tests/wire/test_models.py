"""What the models add to the contract: how Python represents absent, null and renamed fields."""

from __future__ import annotations

import json
from typing import Any

import pytest
from gonogo_wire import (
    ChatCompletionChunk,
    CreateChatCompletionRequest,
    CreateEmbeddingRequest,
    ResponseFormatJsonSchema,
)
from pydantic import MISSING, ValidationError

CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hello."}]}
CHUNK: dict[str, Any] = {
    "id": "c-1",
    "object": "chat.completion.chunk",
    "created": 1767225600,
    "model": "m",
    "choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}],
}


def test_an_absent_field_is_missing_and_null_is_none() -> None:
    assert CreateChatCompletionRequest.model_validate(CHAT).seed is MISSING
    assert CreateChatCompletionRequest.model_validate(CHAT | {"seed": None}).seed is None


def test_an_absent_field_with_a_default_has_it() -> None:
    assert CreateChatCompletionRequest.model_validate(CHAT).temperature == 1
    assert CreateChatCompletionRequest.model_validate(CHAT | {"temperature": None}).temperature is None


@pytest.mark.parametrize("fields", [{}, {"usage": None}, {"system_fingerprint": None, "extra": 1}], ids=str)
def test_a_chunk_is_written_as_it_was_read(fields: dict[str, Any]) -> None:
    chunk = ChatCompletionChunk.model_validate(CHUNK | fields)
    assert json.loads(chunk.model_dump_json()) == CHUNK | fields


def test_a_field_named_like_a_method_keeps_its_name_on_the_wire() -> None:
    body = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": None}}
    model = ResponseFormatJsonSchema.model_validate(body)
    assert model.json_schema.schema_ == {"type": "object"}
    assert model.model_dump(by_alias=True) == body


def test_messages_become_the_model_of_their_role() -> None:
    request = CreateChatCompletionRequest.model_validate(CHAT)
    assert type(request.messages[0]).__name__ == "ChatCompletionRequestUserMessage"


def test_nothing_is_coerced() -> None:
    for fields in ({"seed": "1"}, {"n": True}, {"stream": 1}, {"temperature": "1"}):
        with pytest.raises(ValidationError):
            CreateChatCompletionRequest.model_validate(CHAT | fields)


def test_an_error_says_where_the_value_is() -> None:
    body = CHAT | {"messages": [CHAT["messages"][0], {"role": "user", "content": 1}]}
    with pytest.raises(ValidationError) as caught:
        CreateChatCompletionRequest.model_validate(body)
    assert {error["loc"][:4] for error in caught.value.errors()} == {("messages", 1, "user", "content")}


def test_only_an_embedding_request_refuses_what_it_does_not_know() -> None:
    CreateChatCompletionRequest.model_validate(CHAT | {"unknown": 1})
    with pytest.raises(ValidationError, match="unknown"):
        CreateEmbeddingRequest.model_validate({"model": "m", "input": "a", "unknown": 1})
