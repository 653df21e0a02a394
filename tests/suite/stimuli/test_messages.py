from __future__ import annotations

import json
from typing import Any

import pytest
from gonogo.exchange import Chunk, Exchange, Request
from gonogo.reasons import Reason
from gonogo.stimuli import tools
from gonogo.stimuli.messages import answered_calls, message, same_calls
from gonogo.stimuli.stimulus import NotPossible, Subject

OWN = tools.REQUESTS["the target's own messages are sent back whole"]
SAID = {"role": "assistant", "content": "One.", "refusal": None, "reasoning_content": "Hm.", "audio": None}
CALL = {"id": "call_1", "type": "function", "function": {"name": "set_colour", "arguments": "{}"}, "index": 0}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}


def answer(own: object, status: int = 200) -> Exchange:
    body = json.dumps({"choices": [{"index": 0, "message": own}]}).encode()
    return Exchange("x1", "s", Request("POST", "/"), status, (), (Chunk(0.0, body),), None, 0.0)


def sent(said: Exchange, called: Exchange) -> Any:  # noqa: ANN401 - JSON
    plain, forced = (need.key for need in OWN.needs)
    return json.loads(OWN.build(Subject("m"), {plain: said, forced: called}).body)


def test_a_message_goes_back_with_every_member_and_a_result_follows_its_call() -> None:
    body = sent(answer(SAID), answer(CALLED))
    assert body["messages"][1] == SAID
    assert body["messages"][3:] == [CALLED, {"role": "tool", "tool_call_id": "call_1", "content": "Done."}]
    assert body["tools"] == [tools.LAMP]


def test_half_a_surrogate_pair_goes_back_as_it_came() -> None:
    body = sent(answer(SAID | {"content": "\ud83c"}), answer(CALLED))
    assert body["messages"][1]["content"] == "\ud83c"


@pytest.mark.parametrize(
    "called",
    [
        answer({}, 400),
        answer(SAID),
        answer(None),
        answer(CALLED | {"tool_calls": [CALL | {"id": None}]}),
        answer(CALLED | {"tool_calls": [CALL | {"function": {"name": "set_colour", "arguments": "{"}}]}),
        answer(CALLED | {"tool_calls": [CALL | {"function": {"name": "set_colour"}}]}),
        answer(CALLED | {"tool_calls": ["set_colour"]}),
    ],
    ids=["refused", "no call", "no message", "no id", "cut arguments", "no arguments", "no object"],
)
def test_without_a_call_that_can_be_run_the_text_alone_goes_back_and_no_tools(called: Exchange) -> None:
    assert answered_calls(called) == []
    body = sent(answer(SAID), called)
    assert [each["role"] for each in body["messages"]] == ["user", "assistant", "user"]
    assert "tools" not in body


@pytest.mark.parametrize("own", [None, {}, {"content": None}, {"content": ""}, {"content": 7}])
def test_a_message_without_text_cannot_be_gone_on_from(own: object) -> None:
    with pytest.raises(NotPossible) as stopped:
        message(answer(own))
    assert stopped.value.because.reason is Reason.NO_TEXT


def streamed(*pieces: dict[str, object]) -> Exchange:
    events = [{"choices": [{"index": 0, "delta": {"tool_calls": [piece]}}]} for piece in pieces]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()
    headers = (("content-type", "text/event-stream"),)
    request = Request("POST", "/", body=b'{"stream": true}')
    return Exchange("x2", "s", request, 200, headers, (Chunk(0.0, body),), None, 0.0)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(("{", " }"), True), (('{"x": ', "1}"), False), (("{", ""), False)],
    ids=["other spaces", "other arguments", "half of them"],
)
def test_calls_are_compared_by_name_and_arguments_whole_and_streamed(
    arguments: tuple[str, str],
    expected: bool,  # noqa: FBT001 - parametrised
) -> None:
    first, second = arguments
    stream = streamed(
        {"index": 0, "id": "call_2", "function": {"name": "set_colour", "arguments": first}},
        {"index": 0, "function": {"arguments": second}},
    )
    assert same_calls(answer(CALLED), stream) is expected


@pytest.mark.parametrize(
    "other", [answer(SAID), answer({}, 400), streamed()], ids=["text", "refusal", "nothing"]
)
def test_calls_are_not_compared_with_what_has_none(other: Exchange) -> None:
    with pytest.raises(NotPossible):
        same_calls(answer(CALLED), other)
