"""Conversations with calls and results, for templates with and without tools."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.errors import BadRequest
from gonogo_server.requests.messages import plain_messages, with_instruction, without_system

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_server.engine.base import Message
    from gonogo_wire import CreateChatCompletionRequest

    Make = Callable[..., CreateChatCompletionRequest]

USER = {"role": "user", "content": "Hi"}


def call(number: int, name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    return {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}


def result(number: int, content: object = "done") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": f"call_{number}", "content": content}


CALLING = {"role": "assistant", "content": "Wait.", "tool_calls": [call(1, "f", '{"x": 1}'), call(2, "g")]}


@pytest.fixture
def plain(request_with: Make) -> Callable[..., list[Message]]:
    def make(*messages: object, knows_tools: bool = False) -> list[Message]:
        return plain_messages(request_with(messages=list(messages)).messages, knows_tools=knows_tools)

    return make


def test_a_template_that_knows_tools_gets_calls_and_results(plain: Callable[..., list[Message]]) -> None:
    assert plain(USER, CALLING, result(1), result(2), knows_tools=True) == [
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": "Wait.",
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": {"x": 1}}},
                {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": {}}},
            ],
        },
        {"role": "tool", "content": "done", "tool_call_id": "call_1", "name": "f"},
        {"role": "tool", "content": "done", "tool_call_id": "call_2", "name": "g"},
    ]


def test_a_template_without_tools_gets_words_and_turns(plain: Callable[..., list[Message]]) -> None:
    assert plain(
        USER, CALLING, result(1), result(2), USER, {"role": "assistant", "content": "So."}, USER
    ) == [
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "content": (
                'Wait.\n<tool_call>{"name": "f", "arguments": {"x": 1}}</tool_call>'
                '\n<tool_call>{"name": "g", "arguments": {}}</tool_call>'
            ),
        },
        {
            "role": "user",
            "content": (
                '<tool_response name="f">done</tool_response>\n<tool_response name="g">done</tool_response>\nHi'
            ),
        },
        {"role": "assistant", "content": "So."},
        {"role": "user", "content": "Hi"},
    ]


def test_a_result_in_parts_is_the_same_as_in_one_string(plain: Callable[..., list[Message]]) -> None:
    parts = [{"type": "text", "text": "do"}, {"type": "text", "text": "ne"}]
    assert plain(USER, CALLING, result(1, parts)) == plain(USER, CALLING, result(1))


@pytest.mark.parametrize("content", [{}, {"content": None}, {"content": ""}])
def test_a_message_that_calls_may_say_nothing_else(
    plain: Callable[..., list[Message]], content: dict[str, object]
) -> None:
    said = plain(USER, {"role": "assistant", "tool_calls": [call(1)], **content})[1]["content"]
    assert said == '<tool_call>{"name": "f", "arguments": {}}</tool_call>'


@pytest.mark.parametrize(
    ("arguments", "given"), [("", {}), ("{}", {}), ('{"x": "', '{"x": "'), ("[1]", "[1]"), ("plain", "plain")]
)
def test_arguments_that_are_no_object_stay_the_text_they_are(
    plain: Callable[..., list[Message]], arguments: str, given: object
) -> None:
    calling = {"role": "assistant", "tool_calls": [call(1, "f", arguments)]}
    (made,) = plain(USER, calling, knows_tools=True)[1]["tool_calls"]
    assert made["function"]["arguments"] == given
    assert arguments in plain(USER, calling)[1]["content"]


@pytest.mark.parametrize(
    "messages",
    [
        [USER, result(1)],
        [USER, CALLING, result(9)],
        [USER, result(1), CALLING],
    ],
)
@pytest.mark.parametrize("knows_tools", [True, False])
def test_a_result_that_no_message_before_it_asked_for_is_refused(
    plain: Callable[..., list[Message]], messages: list[object], *, knows_tools: bool
) -> None:
    with pytest.raises(
        BadRequest, match="No earlier assistant message has a tool call with the id"
    ) as refused:
        plain(*messages, knows_tools=knows_tools)
    assert refused.value.param in {"messages[1].tool_call_id", "messages[2].tool_call_id"}


def test_an_assistant_message_without_content_is_refused(plain: Callable[..., list[Message]]) -> None:
    with pytest.raises(BadRequest, match="Missing required parameter"):
        plain(USER, {"role": "assistant", "tool_calls": []})


def test_an_instruction_joins_the_system_message_or_becomes_it() -> None:
    user: Message = {"role": "user", "content": "Hi"}
    system: Message = {"role": "system", "content": "Be kind."}
    assert with_instruction([user], "") == [user]
    assert with_instruction([user], "Sing.") == [{"role": "system", "content": "Sing."}, user]
    assert with_instruction([system, user], "Sing.") == [
        {"role": "system", "content": "Be kind.\n\nSing."},
        user,
    ]


def test_without_a_system_message_its_text_is_the_users() -> None:
    user: Message = {"role": "user", "content": "Hi"}
    system: Message = {"role": "system", "content": "Be kind."}
    assert without_system([system, user, user]) == [{"role": "user", "content": "Be kind.\n\nHi"}, user]
    assert without_system([user]) == [user]
    assert without_system([system]) == [system]


@pytest.mark.parametrize("knows_tools", [False, True])
def test_reasoning_before_a_message_is_passed_to_the_template(
    plain: Callable[..., list[Message]], *, knows_tools: bool
) -> None:
    said = {"role": "assistant", "content": "So."}
    thought = said | {"reasoning_content": "Hm."}
    assert plain(USER, thought, USER, knows_tools=knows_tools)[1] == thought
    for other in (None, ""):
        assert plain(USER, said | {"reasoning_content": other}, USER, knows_tools=knows_tools)[1] == said
    assert plain(USER | {"reasoning_content": "Hm."}, knows_tools=knows_tools) == [USER]


def calls_made_by(work: Callable[[], object]) -> int:
    """The number of Python function calls, and returns to generators, that the work takes."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("knows_tools", [True, False])
def test_twice_the_rounds_of_tools_take_twice_the_work(request_with: Make, *, knows_tools: bool) -> None:
    def work(rounds: int) -> int:
        said = [
            message
            for number in range(rounds)
            for message in ({"role": "assistant", "tool_calls": [call(number)]}, result(number))
        ]
        messages = request_with(messages=said).messages
        return calls_made_by(lambda: plain_messages(messages, knows_tools=knows_tools))

    assert work(200) / work(100) == pytest.approx(2, rel=0.1)
