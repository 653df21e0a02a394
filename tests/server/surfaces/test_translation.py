"""Requests of a surface, translated for an upstream that supports only chat completions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.errors import BadRequest
from gonogo_server.surfaces.messages import to_chat as message_asking
from gonogo_server.surfaces.messages import translation as of_message
from gonogo_server.surfaces.responses import to_chat as response_asking
from gonogo_server.surfaces.responses import translation as of_response
from gonogo_wire import CreateMessageRequest, CreateResponseRequest

if TYPE_CHECKING:
    from gonogo_server.surfaces.translation import Translation

Body = dict[str, Any]

USER: Body = {"role": "user", "content": "Hi"}
SAID: Body = {"model": "m", "messages": [USER]}
SCHEMA = {"type": "object", "properties": {"a": {"default": None}}}
PNG = "data:image/png;base64,AAAA"


def response(**fields: object) -> Translation:
    return of_response.translation(
        CreateResponseRequest.model_validate({"model": "m", "input": "Hi"} | fields)
    )


def message(**fields: object) -> Translation:
    body = {"model": "m", "max_tokens": 8, "messages": [USER]} | fields
    return of_message.translation(CreateMessageRequest.model_validate(body))


def function(**more: object) -> Body:
    return {"type": "function", "function": {"name": "f", **more}}


RESPONSES: list[tuple[Body, Body]] = [
    ({}, SAID),
    ({"input": [USER]}, SAID),
    ({"instructions": "Be."}, {"messages": [{"role": "system", "content": "Be."}, USER]}),
    (
        {"input": [{"role": "developer", "content": "a"}, USER, {"role": "system", "content": "b"}]},
        {"messages": [{"role": "system", "content": "a\n\nb"}, USER]},
    ),
    ({"temperature": 0.5, "top_p": 0.5}, {"temperature": 0.5, "top_p": 0.5}),
    ({"temperature": None}, {}),
    ({"max_output_tokens": 16}, {"max_tokens": 16}),
    ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}),
    ({"stream": False, "parallel_tool_calls": True}, {}),
    ({"reasoning": {"effort": "low", "summary": "auto"}}, {"reasoning_effort": "low"}),
    ({"text": {}}, {}),
    ({"text": {"format": {"type": "json_object"}}}, {"response_format": {"type": "json_object"}}),
    (
        {"text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": None}}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}},
    ),
    (
        {
            "tools": [
                {"type": "function", "name": "f", "parameters": SCHEMA, "strict": False, "description": None},
                {"type": "web_search"},
            ],
            "parallel_tool_calls": False,
        },
        {"tools": [function(parameters=SCHEMA, strict=False)], "parallel_tool_calls": False},
    ),
    (
        {
            "tools": [{"type": "function", "name": "f", "parameters": None, "strict": None}],
            "tool_choice": {"type": "function", "name": "f"},
        },
        {"tools": [function()], "tool_choice": {"type": "function", "function": {"name": "f"}}},
    ),
    (
        {
            "input": [
                USER,
                {
                    "type": "reasoning",
                    "id": "r",
                    "summary": [],
                    "content": [{"type": "reasoning_text", "text": "Hm."}],
                },
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}", "id": "fc_1"},
                {"type": "function_call_output", "call_id": "c", "output": "1", "id": "fco_1"},
            ]
        },
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": None,
                    "reasoning_content": "Hm.",
                    "tool_calls": [
                        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                    ],
                },
                {"role": "tool", "tool_call_id": "c", "content": "1"},
            ]
        },
    ),
    (
        {
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_text", "text": "What?"},
                        {"type": "input_image", "image_url": PNG, "detail": "low"},
                    ],
                }
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What?"},
                        {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
                    ],
                }
            ]
        },
    ),
    (
        {"include": ["message.output_text.logprobs"], "top_logprobs": 2},
        {"logprobs": True, "top_logprobs": 2},
    ),
]
"""Fields of a request, and the chat's fields besides model and messages."""


@pytest.mark.parametrize(("fields", "chat"), RESPONSES, ids=str)
def test_a_response_is_asked_for_in_the_words_of_chat(fields: Body, chat: Body) -> None:
    assert response(**fields).request("max_tokens", counted=True) == SAID | chat


MESSAGES: list[tuple[Body, Body]] = [
    ({}, {}),
    ({"system": "Be."}, {"messages": [{"role": "system", "content": "Be."}, USER]}),
    (
        {"system": [{"type": "text", "text": "Be.", "cache_control": {"type": "ephemeral"}}]},
        {"messages": [{"role": "system", "content": "Be."}, USER]},
    ),
    ({"temperature": 0, "top_p": 0.5}, {"temperature": 0, "top_p": 0.5}),
    ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}),
    ({"stop_sequences": ["a", "b", "c", "d", "e"]}, {}),
    ({"thinking": {"type": "adaptive"}}, {}),
    ({"thinking": {"type": "disabled"}}, {"reasoning_effort": "none"}),
    ({"output_config": {"effort": "high"}}, {"reasoning_effort": "high"}),
    (
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
            }
        },
    ),
    (
        {
            "tools": [
                {"name": "f", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}},
                {"type": "web_search_20250305", "name": "web_search"},
            ],
            "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        },
        {
            "tools": [function(parameters={"type": "object"})],
            "tool_choice": "required",
            "parallel_tool_calls": False,
        },
    ),
    (
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                        {"type": "text", "text": "Well."},
                        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "t", "content": "no", "is_error": True},
                        {"type": "text", "text": "And?"},
                    ],
                },
            ]
        },
        {
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": "Well.",
                    "reasoning_content": "Hm.",
                    "tool_calls": [
                        {"id": "t", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
                    ],
                },
                {"role": "tool", "tool_call_id": "t", "content": "Error: no"},
                {"role": "user", "content": "And?"},
            ]
        },
    ),
    (
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "image",
                            "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
                        },
                        {"type": "text", "text": "What?"},
                    ],
                }
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": PNG}},
                        {"type": "text", "text": "What?"},
                    ],
                }
            ]
        },
    ),
]


@pytest.mark.parametrize(("fields", "chat"), MESSAGES, ids=str)
def test_a_message_is_asked_for_in_the_words_of_chat(fields: Body, chat: Body) -> None:
    assert message(**fields).request("max_tokens", counted=True) == SAID | {"max_tokens": 8} | chat


def test_the_limit_has_the_name_that_the_upstream_knows() -> None:
    assert message().request("max_completion_tokens", counted=True) == SAID | {"max_completion_tokens": 8}


def test_an_upstream_that_does_not_count_is_not_asked_to() -> None:
    assert response(stream=True).request("max_tokens", counted=False) == SAID | {"stream": True}


def test_an_upstream_that_knows_no_effort_is_not_asked_for_none() -> None:
    asked = message(thinking={"type": "disabled"}).request("max_tokens", counted=True, effort=False)
    assert "reasoning_effort" not in asked
    hint = message(output_config={"effort": "low"}).request("max_tokens", counted=True, effort=False)
    assert "reasoning_effort" not in hint
    wanted = response(reasoning={"effort": "low"}).request("max_tokens", counted=True, effort=False)
    assert wanted["reasoning_effort"] == "low"


FILE: Body = {"role": "user", "content": [{"type": "input_file", "file_data": "x"}]}
PICTURE: Body = {"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}
REFUSED: dict[str, tuple[Body, str]] = {
    "previous_response_id": ({"previous_response_id": "r"}, "previous_response_id"),
    "conversation": ({"conversation": "c"}, "conversation"),
    "prompt": ({"prompt": {"id": "p"}}, "prompt"),
    "background": ({"background": True}, "background"),
    "truncation": ({"truncation": "auto"}, "truncation"),
    "stream_options.include_obfuscation": (
        {"stream": True, "stream_options": {"include_obfuscation": True}},
        "stream_options.include_obfuscation",
    ),
    "input[].type": ({"input": [{"type": "item_reference", "id": "i"}]}, "input[0].type"),
    "input[].content[].type": ({"input": [FILE]}, "input[0].content[0].type"),
    "input[].content[].file_id": ({"input": [PICTURE]}, "input[0].content[0].file_id"),
    "top_logprobs": ({"top_logprobs": 1}, "top_logprobs"),
    **{name: ({name: "x"}, name) for name in response_asking.FOREIGN},
}
REFUSED_OF_MESSAGES: dict[str, tuple[Body, str]] = {
    "max_tokens": ({"max_tokens": 0}, "max_tokens"),
    "top_k": ({"top_k": 5}, "top_k"),
    "messages[].role": ({"messages": [USER, {"role": "assistant", "content": "I"}]}, "messages[1].role"),
    "messages[].content[].type": (
        {"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "text"}}]}]},
        "messages[0].content[0].type",
    ),
    "messages[].content[].source": (
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "file"}}]}]},
        "messages[0].content[0].source",
    ),
    **{name: ({name: "x"}, name) for name in message_asking.FOREIGN},
}


@pytest.mark.parametrize("name", REFUSED)
def test_features_of_responses_without_a_chat_equivalent_are_refused_by_name(name: str) -> None:
    fields, param = REFUSED[name]
    with pytest.raises(BadRequest) as refused:
        response(**fields)
    assert refused.value.param == param


@pytest.mark.parametrize("name", REFUSED_OF_MESSAGES)
def test_features_of_messages_without_a_chat_equivalent_are_refused_by_name(name: str) -> None:
    fields, param = REFUSED_OF_MESSAGES[name]
    with pytest.raises(BadRequest) as refused:
        message(**fields)
    assert refused.value.param == param


def test_the_page_names_all_that_is_refused() -> None:
    page = (Path(__file__).parents[3] / "docs" / "gateway.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (responses|messages) \| (.+?) \|", page, re.MULTILINE)
    named = {(surface, name) for surface, names in rows for name in re.findall(r"`([^`]+)`", names)}
    assert named == {
        *(("responses", name) for name in REFUSED),
        *(("messages", name) for name in REFUSED_OF_MESSAGES),
    }
