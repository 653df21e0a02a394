"""Requests that are edited without a change of meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from server.repair.reports import MESSAGES, Notes, chat, completion, embedding, rule

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document

FUNCTION: Document = {"name": "f"}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TEXT_PARTS = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]


def sent(*broken: Document | str, **members: object) -> Document:
    """The request that the upstream gets, without the members that are always the same."""
    (request,) = chat(*broken, **members).requests
    return {name: value for name, value in request.items() if name != "model" and value is not MESSAGES}


@pytest.mark.parametrize(
    ("broken", "members", "expected"),
    [
        ("chat.request.nulls", {"stop": None, "seed": 1}, {"seed": 1}),
        ("chat.request.neutral", {"n": 1, "logprobs": False, "temperature": 1}, {"temperature": 1}),
        ("chat.request.neutral", {"presence_penalty": 1}, {"presence_penalty": 1}),
        ("sampling.accepted.bias_empty", {"logit_bias": {}}, {}),
        ("chat.request.bookkeeping", {"user": "u", "metadata": {}, "store": False, "seed": 1}, {"seed": 1}),
        ("chat.request.bookkeeping", {"store": True}, {"store": True}),
        ("chat.request.stop_string", {"stop": "a"}, {"stop": ["a"]}),
        ("chat.request.temperature_zero", {"temperature": 0}, {"temperature": 0.01}),
        ("chat.request.temperature_zero", {"temperature": 1}, {"temperature": 1}),
        (
            "sampling.effect.both_limits",
            {"max_tokens": 8, "max_completion_tokens": 2},
            {"max_completion_tokens": 2},
        ),
        ("tools.request.empty", {"tools": [], "tool_choice": "none"}, {}),
        ("tools.none.silent", {"tools": [{"function": FUNCTION}], "tool_choice": "none"}, {}),
        ("structured.text.accepted", {"response_format": {"type": "text"}}, {}),
        (
            "tools.request.strict",
            {"tools": [{"function": {**FUNCTION, "strict": False}}]},
            {"tools": [{"function": FUNCTION}]},
        ),
        (
            "tools.request.no_parameters",
            {"tools": [{"function": FUNCTION}]},
            {"tools": [{"function": {**FUNCTION, "parameters": {"type": "object", "properties": {}}}}]},
        ),
    ],
)
def test_parameters_that_an_upstream_stumbles_over_are_sent_otherwise(
    broken: str, members: Document, expected: Document
) -> None:
    notes = Notes()
    assert sent(broken, **members) == expected
    chat(broken, notes=notes, **members)
    assert list(notes) == ([broken] if expected != members else [])


@pytest.mark.parametrize(
    ("broken", "messages", "expected"),
    [
        (
            "chat.request.developer",
            [{"role": "developer", "content": "a"}, *MESSAGES],
            [{"role": "system", "content": "a"}, *MESSAGES],
        ),
        (
            "chat.request.system",
            [{"role": "developer", "content": TEXT_PARTS}, *MESSAGES],
            [{"role": "user", "content": "ab\n\nHi"}],
        ),
        ("chat.request.system", [{"role": "system", "content": "a"}], [{"role": "system", "content": "a"}]),
        (
            "chat.request.parts",
            [{"role": "user", "content": TEXT_PARTS}],
            [{"role": "user", "content": "ab"}],
        ),
        (
            "tools.history.null_content",
            [{"role": "assistant", "content": None, "tool_calls": [CALL]}],
            [{"role": "assistant", "content": "", "tool_calls": [CALL]}],
        ),
        (
            "tools.history.no_content",
            [{"role": "assistant", "tool_calls": [CALL]}],
            [{"role": "assistant", "content": None, "tool_calls": [CALL]}],
        ),
        (
            "tools.history.own",
            [
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [CALL],
                    "refusal": None,
                    "annotations": [],
                }
            ],
            [{"role": "assistant", "content": None, "tool_calls": [CALL]}],
        ),
    ],
)
def test_messages_have_a_form_that_the_upstream_knows(
    broken: str, messages: list[Document], expected: list[Document]
) -> None:
    assert sent(broken, messages=messages)["messages"] == expected


def test_parts_that_are_no_text_stay_parts() -> None:
    picture = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]
    assert sent("chat.request.parts", messages=picture)["messages"] == picture


def test_a_limit_goes_by_the_name_that_the_upstream_knows() -> None:
    old = rule("chat.limit.max_tokens", "pass")
    assert sent("chat.limit.max_completion_tokens", old, max_completion_tokens=3) == {"max_tokens": 3}
    new = rule("chat.limit.max_completion_tokens", "pass")
    assert sent("chat.limit.max_tokens", new, max_tokens=3) == {"max_completion_tokens": 3}
    both = sent("chat.limit.max_completion_tokens", old, max_tokens=8, max_completion_tokens=2)
    assert both == {"max_tokens": 2}


def test_a_user_is_left_out_of_embeddings() -> None:
    assert embedding("embeddings.request.user", user="u").requests == ({"model": "m", "input": "Hi"},)


def test_completions_are_edited_as_chats_are() -> None:
    made = completion("completions.request.neutral", echo=False, user="u", best_of=1, seed=1)
    assert made.requests == ({"model": "m", "prompt": "Hi", "seed": 1},)


def test_without_quirks_the_request_is_sent_as_it_is_and_nothing_is_noted() -> None:
    notes = Notes()
    made = chat(notes=notes, n=2, stop="x", stream=None)
    assert made.requests == (made.document,)
    assert made.requests[0] is made.document
    assert (made.requested, made.stages(), made.joiner(), notes) == (made.client, (), None, [])


def test_names_of_speakers_are_left_out_and_those_of_functions_are_not() -> None:
    spoken = [
        {"role": "user", "name": "Ann", "content": "Hi"},
        {"role": "function", "name": "f", "content": "1"},
    ]
    (request,) = chat("chat.request.long", messages=spoken).requests
    assert request["messages"] == [{"role": "user", "content": "Hi"}, spoken[1]]
