"""Requests for features that the upstream breaks are refused by name."""

from __future__ import annotations

import pytest
from gonogo_server.errors import BadRequest
from server.repair.reports import chat, completion, embedding, rule

PICTURE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]


def test_a_valid_request_that_failed_upstream_is_refused() -> None:
    failed = rule("chat.request.picture", "inconclusive", reason="server-error")
    with pytest.raises(BadRequest, match="other than text") as caught:
        chat(failed, messages=PICTURE)
    assert (caught.value.param, caught.value.code) == ("messages[0]", "unsupported_parameter")


def test_a_turn_of_the_assistant_is_refused_where_the_upstream_refuses_it() -> None:
    history = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}]
    with pytest.raises(BadRequest) as caught:
        chat("chat.request.history", messages=[*history, {"role": "user", "content": "Go on."}])
    assert caught.value.param == "messages[1]"
    assert chat("chat.request.history", messages=history[:1]).requests


TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}


def of_schema(field: dict[str, object]) -> dict[str, object]:
    """A response format for an object with one field."""
    schema = {"type": "object", "properties": {"pattern": field}}
    return {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}


CUT = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a"'}}


@pytest.mark.parametrize(
    ("broken", "members", "param"),
    [
        ("logprobs.chat.present", {"logprobs": True}, "logprobs"),
        ("structured.schema.kept", {"response_format": {"type": "json_schema"}}, "response_format"),
        ("structured.object.begins", {"response_format": {"type": "json_object"}}, "response_format"),
        (
            "structured.schema.definitions",
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"$defs": {}}}}},
            "response_format",
        ),
        ("structured.schema.escapes", {"response_format": of_schema({"pattern": "^a$"})}, "response_format"),
        ("structured.schema.pattern", {"response_format": of_schema({"pattern": "^a$"})}, "response_format"),
        (
            "structured.schema.pattern",
            {"response_format": of_schema({"properties": {"default": {"anyOf": [{"pattern": "^a$"}]}}})},
            "response_format",
        ),
        ("tools.required.called", {"tools": [TOOL], "tool_choice": "required"}, "tool_choice"),
        ("tools.named.called", {"tools": [TOOL], "tool_choice": {"type": "function"}}, "tool_choice"),
        ("tools.call.name", {"tools": [TOOL]}, "tools"),
        ("tools.strict.kept", {"tools": [{"type": "function", "function": {"strict": True}}]}, "tools"),
        ("tools.parallel.one", {"tools": [TOOL], "parallel_tool_calls": False}, "parallel_tool_calls"),
        ("tools.functions.not_ignored", {"functions": [{}]}, "functions"),
        ("sampling.effect.logit_bias", {"logit_bias": {"1": 5}}, "logit_bias"),
        ("sampling.effect.temperature", {"temperature": 0.5}, "temperature"),
        ("sampling.effect.top_p", {"top_p": 0.5}, "top_p"),
        ("sampling.accepted.penalties", {"frequency_penalty": 1}, "frequency_penalty"),
        ("sampling.accepted.seed", {"seed": -1}, "seed"),
        ("sampling.accepted.reasoning_effort", {"reasoning_effort": "low"}, "reasoning_effort"),
        ("chat.limit.max_tokens", {"max_tokens": 3}, "max_tokens"),
        ("completions.echo.nothing_else", {"max_tokens": 0}, "max_tokens"),
        ("errors.token_limit.harmless", {"max_tokens": 10**8}, "max_tokens"),
        ("chat.stream.usage", {"stream": True, "stream_options": {"include_usage": True}}, "stream_options"),
        ("chat.harmless.nul", {"user": "a\0"}, "user"),
        ("chat.harmless.half_pair", {"user": "a\ud800"}, "user"),
        ("errors.unknown_field.harmless", {"gonogo": 1}, "gonogo"),
    ],
)
def test_a_parameter_that_is_accepted_and_ignored_is_refused_by_its_name(
    broken: str, members: dict[str, object], param: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        chat(broken, **members)
    assert (caught.value.status, caught.value.param, caught.value.code) == (
        400,
        param,
        "unsupported_parameter",
    )
    assert broken in str(caught.value)
    assert chat(**members).requests[0].items() >= members.items()


@pytest.mark.parametrize(
    "field",
    [
        {"type": "string"},
        {"const": {"pattern": "^a$"}},
        {"enum": [{"pattern": "^a$"}]},
        {"type": "object", "default": {"pattern": "^a$"}},
    ],
    ids=str,
)
def test_a_schema_without_a_pattern_is_sent_to_a_server_that_breaks_patterns(
    field: dict[str, object],
) -> None:
    wanted = of_schema(field)
    assert chat("structured.schema.escapes", response_format=wanted).requests[0]["response_format"] == wanted


@pytest.mark.parametrize(
    ("broken", "messages", "param"),
    [
        (
            "chat.harmless.late_system",
            [{"role": "user", "content": "a"}, {"role": "system", "content": "b"}],
            "messages[1]",
        ),
        ("chat.harmless.two_users", [{"role": "user", "content": "a"}] * 2, "messages[1]"),
        ("chat.harmless.any_order", [{"role": "user", "content": ""}], "messages[0]"),
        ("chat.harmless.any_order", [{"role": "assistant", "content": "a"}], "messages[0]"),
        (
            "chat.request.silent_turns",
            [{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}],
            "messages[1]",
        ),
        ("tools.refused.orphan", [{"role": "tool", "tool_call_id": "c", "content": "a"}], "messages[0]"),
        (
            "tools.harmless.arguments_cut",
            [{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [CUT]}],
            "messages[1]",
        ),
    ],
)
def test_a_conversation_that_fails_the_upstream_is_refused(
    broken: str, messages: list[dict[str, object]], param: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        chat(broken, messages=messages)
    assert caught.value.param == param
    assert chat(broken).requests == ({"model": "m", "messages": [{"role": "user", "content": "Hi"}]},)


@pytest.mark.parametrize(
    ("broken", "members", "param"),
    [
        ("completions.suffix.named", {"suffix": "!"}, "suffix"),
        ("completions.echo.logprobs", {"echo": True, "logprobs": 1}, "echo"),
        ("completions.echo.text", {"echo": True, "prompt": [1, 2]}, "echo"),
        ("completions.prompt.tokens", {"prompt": [1, 2]}, "prompt"),
        ("choices.completions.number", {"best_of": 3}, "best_of"),
        ("logprobs.completions.present", {"logprobs": 0}, "logprobs"),
    ],
)
def test_unsupported_completion_parameters_are_refused(
    broken: str, members: dict[str, object], param: str
) -> None:
    with pytest.raises(BadRequest) as caught:
        completion(broken, **members)
    assert caught.value.param == param


def test_unsupported_embedding_parameters_are_refused() -> None:
    with pytest.raises(BadRequest, match="dimensions"):
        embedding("embeddings.dimensions.length", dimensions=4)
    with pytest.raises(BadRequest, match="in tokens"):
        embedding("embeddings.input.tokens", input=[1, 2])


def test_embeddings_are_refused_where_the_upstream_counts_no_tokens() -> None:
    with pytest.raises(
        BadRequest, match=r"An embedding is not supported .* Use another provider\."
    ) as caught:
        embedding("embeddings.response.usage")
    assert (caught.value.param, caught.value.code) == ("input", "unsupported_parameter")
