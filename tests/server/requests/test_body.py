"""Bodies: what is accepted as JSON, and the one sentence about everything else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.errors import BadRequest, UnsupportedMediaType
from gonogo_server.requests.body import json_object, parse
from gonogo_server.requests.bounds import Bounds
from gonogo_wire import CreateChatCompletionRequest, CreateCompletionRequest, CreateEmbeddingRequest
from pydantic import ValidationError

if TYPE_CHECKING:
    from pydantic import BaseModel

Body = dict[str, Any]

USER = {"role": "user", "content": "Hi"}
CHAT = {"model": "m", "messages": [USER]}


def refusal(
    changes: Body, model: type[BaseModel] = CreateChatCompletionRequest, base: Body = CHAT
) -> BadRequest:
    with pytest.raises(BadRequest) as caught:
        parse(json.dumps(base | changes).encode(), "application/json", model)
    return caught.value


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "it is empty"),
        (b"{", "at character 1"),
        (b'{"a": 1}{', "extra data, at character 8"),
        (b'{"a": "\xff"}', "byte 7 is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "is not UTF-8"),
        (b'\xef\xbb\xbf{"a": 1}', "at character 0"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": -Infinity}', "-Infinity is not a JSON number"),
        (b'{"a": 1e999}', "1e999 is larger than any double"),
        (b'{"a": ' + b"1" * 5000 + b"}", "too many digits"),
        (b'{"a": "\\ud83d"}', "unpaired surrogate"),
        (b'{"\\uDC00": 1}', "unpaired surrogate"),
    ],
)
def test_invalid_json_is_refused_with_its_position(raw: bytes, why: str) -> None:
    with pytest.raises(BadRequest, match="is not valid JSON") as caught:
        json_object(raw)
    assert why in str(caught.value)
    assert caught.value.code == "invalid_json"


def nested(depth: int, inner: str = "1") -> bytes:
    """An object with this many nested containers, including itself."""
    return b'{"a": ' + b"[" * (depth - 1) + inner.encode() + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize("raw", [nested(4), nested(3, '{"b": 1}'), b"[" * 100_000, nested(100_000)])
def test_a_body_nested_past_the_limit_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest, match="nested more than 3 levels deep") as caught:
        json_object(raw, Bounds(depth=3))
    assert caught.value.code == "json_too_deep"


@pytest.mark.parametrize("raw", [nested(1), nested(2), nested(3), nested(2, '{"b": "[[[["}')])
def test_a_body_nested_up_to_the_limit_is_read(raw: bytes) -> None:
    assert set(json_object(raw, Bounds(depth=3))) == {"a"}


LISTS = '{"a": [%s]}'
"""A body of three parts plus what is inserted."""


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        (LISTS % ",".join(["[]"] * 9), "10 objects, arrays and members"),
        (LISTS % ",".join(['{"b": 1}'] * 9), "10 objects, arrays and members"),
        (LISTS % ",".join(["1"] * 20), "20 values"),
        (LISTS % ",".join(['"a"'] * 20), "20 values"),
        ("{" + ",".join(f'"{name}": 1' for name in range(10)) + "}", "10 objects, arrays and members"),
        (LISTS % ("[]," * 50 + '"a text without an end'), "10 objects, arrays and members"),
        (LISTS % ('"' + '\\"[' * 50), "is not valid JSON"),
    ],
)
def test_a_body_of_more_values_than_the_limits_is_refused(body: str, limit: str) -> None:
    with pytest.raises(BadRequest, match=limit):
        json_object(body.encode(), Bounds(parts=10, values=20))


@pytest.mark.parametrize(
    "body",
    [
        LISTS % ",".join(["[]"] * 7),
        LISTS % ",".join(["1"] * 18),
        LISTS % ('"' + r"[{,\\" * 50 + '"'),
        LISTS % r'"\\", "\\\"[[[[[[[[[[[[[[", "{{{{{{{{{{{{"',
    ],
)
def test_a_body_within_the_limits_is_read_with_any_text(body: str) -> None:
    assert set(json_object(body.encode(), Bounds(parts=10, values=20))) == {"a"}


@pytest.mark.parametrize("raw", [b"[]", b'"text"', b"1", b"null", b"true"])
def test_json_that_is_not_an_object_is_refused(raw: bytes) -> None:
    with pytest.raises(BadRequest, match="must be a JSON object"):
        json_object(raw)


def test_a_surrogate_pair_is_a_character() -> None:
    assert json_object(b'{"a": "\\ud83d\\udc4b"}') == {"a": "\N{WAVING HAND SIGN}"}


@pytest.mark.parametrize(("literal", "value"), [("883.0", 883), ("1e3", 1000), ("0.5", 0.5), ("-0.0", 0)])
def test_a_number_without_a_fraction_is_an_integer(literal: str, value: float) -> None:
    number = json_object(f'{{"a": {literal}}}'.encode())["a"]
    assert number == value
    assert isinstance(number, type(value))


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/vnd.api+json"],
)
def test_a_body_declared_as_json_is_read(content_type: str | None) -> None:
    assert parse(json.dumps(CHAT).encode(), content_type, CreateChatCompletionRequest).model == "m"


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "json", "application/jsonx"]
)
def test_a_body_not_declared_as_json_is_refused(content_type: str | None) -> None:
    with pytest.raises(UnsupportedMediaType, match="set Content-Type to application/json"):
        parse(json.dumps(CHAT).encode(), content_type, CreateChatCompletionRequest)


@pytest.mark.parametrize(
    ("changes", "param", "expected", "got"),
    [
        ({"temperature": "1"}, "temperature", "a number", "a string"),
        ({"max_tokens": 1.5}, "max_tokens", "an integer", "a number"),
        ({"stream": 1}, "stream", "a boolean", "an integer"),
        ({"stream": []}, "stream", "a boolean", "an array"),
        ({"parallel_tool_calls": "yes"}, "parallel_tool_calls", "a boolean", "a string"),
        ({"seed": True}, "seed", "an integer", "a boolean"),
        ({"model": None}, "model", "a string", "null"),
        ({"messages": "Hi"}, "messages", "an array", "a string"),
        ({"messages": [USER, 5]}, "messages[1]", "an object", "an integer"),
        (
            {"messages": [{"role": "user", "content": 5}]},
            "messages[0].content",
            "a string or an array",
            "an integer",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": {}}]}]},
            "messages[0].content[0].text",
            "a string",
            "an object",
        ),
        ({"stop": ["a", 1]}, "stop[1]", "a string", "an integer"),
        ({"metadata": {"a": 1}}, "metadata.a", "a string", "an integer"),
        (
            {"stream_options": {"include_usage": "yes"}},
            "stream_options.include_usage",
            "a boolean",
            "a string",
        ),
    ],
)
def test_a_wrong_type_says_which_field_expected_what(
    changes: Body, param: str, expected: str, got: str
) -> None:
    refused = refusal(changes)
    assert refused.param == param
    assert refused.code == "invalid_type"
    assert str(refused) == f"Invalid type for '{param}': expected {expected}, but got {got} instead."


def test_a_wrong_type_in_a_union_of_arrays_names_every_choice() -> None:
    refused = refusal({"prompt": [1.5]}, CreateCompletionRequest, {"model": "m"})
    assert refused.param == "prompt[0]"
    assert "expected a string, an integer or an array, but got a number" in str(refused)


@pytest.mark.parametrize(
    ("prompt", "param", "said"),
    [
        ([[1], []], "prompt[1]", "at least 1 item, not 0"),
        ([[1], [2], ["a"]], "prompt[2][0]", "expected an integer, but got a string"),
        ([[1], "a"], "prompt[1]", "expected an array, but got a string"),
        ([1, 2, "a"], "prompt[2]", "expected an integer, but got a string"),
        (["a", 1, "b", [2]], "prompt[1]", "expected a string, but got an integer"),
        ([[], [1]], "prompt[0]", "at least 1 item, not 0"),
    ],
)
def test_an_item_unlike_the_ones_before_it_is_the_one_that_is_named(
    prompt: object, param: str, said: str
) -> None:
    refused = refusal({"prompt": prompt}, CreateCompletionRequest, {"model": "m"})
    assert refused.param == param
    assert said in str(refused)


@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        (CreateCompletionRequest, "prompt", [*range(500), "a"]),
        (CreateCompletionRequest, "prompt", [*range(500), -1]),
        (CreateCompletionRequest, "prompt", [*(["a"] * 500), 1]),
        (CreateCompletionRequest, "prompt", [None] * 500),
        (CreateCompletionRequest, "logit_bias", {str(token): 1000 for token in range(500)}),
        (CreateEmbeddingRequest, "input", list(range(5000))),
        (CreateChatCompletionRequest, "messages", [1] * 500),
        (CreateChatCompletionRequest, "messages", [{"role": "user", "content": [{}] * 500}] * 500),
        (CreateChatCompletionRequest, "tools", [{}] * 500),
    ],
)
def test_no_error_is_kept_for_each_wrong_item_of_many(
    model: type[BaseModel], field: str, value: object
) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate({field: value})
    assert caught.value.error_count() < 10


@pytest.mark.parametrize("given", [["a"] * 2049, [1] * 2049, [[1]] * 2049, [*(["a"] * 2049), 1]])
def test_too_many_inputs_of_any_kind_are_refused(given: object) -> None:
    refused = refusal({"input": given}, CreateEmbeddingRequest, {"model": "m"})
    assert refused.param == "input"
    assert "at most 2048 items" in str(refused)


def test_of_two_items_that_are_wrong_the_first_is_named() -> None:
    user = {"role": "user", "content": 5}
    assert (
        refusal({"messages": [USER, user, {"role": "assistant", "content": 5}]}).param
        == "messages[1].content"
    )


@pytest.mark.parametrize(
    ("changes", "param", "said"),
    [
        ({"temperature": 3}, "temperature", "it should be less than or equal to 2"),
        ({"max_tokens": 0}, "max_tokens", "it should be greater than or equal to 1"),
        ({"seed": 2**64}, "seed", "less than or equal to 9223372036854775807"),
        ({"model": ""}, "model", "it should have at least 1 character"),
        ({"messages": []}, "messages", "it should have at least 1 item, not 0"),
        ({"stop": ["a"] * 5}, "stop", "it should have at most 4 items, not 5"),
        ({"tool_choice": "perhaps"}, "tool_choice", "'none', 'auto' or 'required'"),
        (
            {"messages": [{"role": "judge", "content": ""}]},
            "messages[0].role",
            "'judge'. Supported values are",
        ),
        ({"messages": [{"role": 5, "content": ""}]}, "messages[0].role", "'5'. Supported values are"),
        (
            {"messages": [{"role": "user", "content": [{"type": "smell"}]}]},
            "messages[0].content[0].type",
            "'smell'",
        ),
        ({"metadata": {"k" * 65: ""}}, f"metadata.{'k' * 65}", "at most 64 characters"),
        ({"safety_identifier": "x" * 65}, "safety_identifier", "at most 64 characters"),
    ],
)
def test_a_value_out_of_range_says_what_the_range_is(changes: Body, param: str, said: str) -> None:
    refused = refusal(changes)
    assert refused.param == param
    assert refused.code == "invalid_value"
    assert said in str(refused)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": [USER]}, "model"),
        ({"model": "m"}, "messages"),
        ({"model": "m", "messages": [{"content": "Hi"}]}, "messages[0].role"),
        ({"model": "m", "messages": [{"role": "user"}]}, "messages[0].content"),
        (
            {"model": "m", "messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "messages[0].content[0].text",
        ),
        ({"model": "m", "messages": [{"role": "tool", "content": "1"}]}, "messages[0].tool_call_id"),
    ],
)
def test_a_missing_field_is_named(body: Body, param: str) -> None:
    refused = refusal({}, base=body)
    assert refused.param == param
    assert refused.code == "missing_required_parameter"
    assert str(refused) == f"Missing required parameter: '{param}'."


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"top_k": 5}, "top_k"),
        ({"stream_options": {"include_all": True}}, "stream_options.include_all"),
        ({"messages": [USER, {**USER, "mood": "good"}]}, "messages[1].mood"),
    ],
)
def test_a_field_that_the_contract_does_not_know_is_refused(changes: Body, param: str) -> None:
    refused = refusal(changes)
    assert refused.param == param
    assert refused.code == "unknown_parameter"


def said_back(function: Body, call: Body, message: Body) -> Body:
    """A chat in which an answer with a call is sent back."""
    called = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "f", "arguments": "{}"} | function,
    } | call
    answer = {"role": "assistant", "content": None, "refusal": None, "tool_calls": [called]} | message
    return {**CHAT, "messages": [USER, answer, {"role": "assistant", "content": "So."}]}


def test_members_added_by_client_helpers_are_removed_from_requests() -> None:
    sent = said_back({"parsed_arguments": {}}, {"index": 0}, {"parsed": {}})
    read = parse(json.dumps(sent).encode(), "application/json", CreateChatCompletionRequest)
    assert read.model_dump(exclude_unset=True) == said_back({}, {}, {})


@pytest.mark.parametrize("changes", [{"top_k": None}, {"messages": [{**USER, "parsed": None}]}], ids=str)
def test_a_null_field_requests_nothing(changes: Body) -> None:
    body = parse(json.dumps(CHAT | changes).encode(), "application/json", CreateChatCompletionRequest)
    assert body.model == CHAT["model"]


@pytest.mark.parametrize(
    ("sent", "param"),
    [
        (said_back({"mood": 1}, {}, {}), "messages[1].tool_calls[0].function.mood"),
        (said_back({}, {"parsed": 1}, {}), "messages[1].tool_calls[0].parsed"),
        (said_back({}, {}, {"function_call": {"name": "f", "arguments": ""}}), "messages[1].function_call"),
        ({"messages": [{**USER, "parsed": {}}]}, "messages[0].parsed"),
    ],
)
def test_nothing_else_is_let_through_with_them(sent: Body, param: str) -> None:
    assert refusal(sent).param == param


def test_a_field_that_a_closed_object_does_not_know_is_refused_the_same_way() -> None:
    refused = refusal({"top_k": 5}, CreateEmbeddingRequest, {"model": "m", "input": "Hi"})
    assert (refused.param, refused.code) == ("top_k", "unknown_parameter")


def test_open_objects_may_have_any_field() -> None:
    function = {
        "name": "f",
        "strict": None,
        "parameters": {"type": "object", "properties": {"x": {"type": "string"}}},
    }
    tools = [{"type": "function", "function": function}]
    body = parse(
        json.dumps(CHAT | {"tools": tools}).encode(), "application/json", CreateChatCompletionRequest
    )
    assert body.model_dump(by_alias=True)["tools"] == tools
