from __future__ import annotations

import json
from typing import Any

import pytest
from gonogo.exchange import Chunk, Exchange, Request
from gonogo.judge.checks.tool_streams import same_arguments
from gonogo.judge.outcome import Deviation, Kept, Stop
from gonogo.reasons import Reason


def whole(message: dict[str, Any], finish_reason: str = "stop") -> Exchange:
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    body = json.dumps({"choices": [choice]}).encode()
    return Exchange("x1", "s", Request("POST", "/"), 200, (), (Chunk(0.0, body),), None, 0.0)


def calling(arguments: str) -> dict[str, Any]:
    return {
        "tool_calls": [{"index": 0, "id": "c", "function": {"name": "set_colour", "arguments": arguments}}]
    }


def streamed(arguments: str, finish_reason: str = "tool_calls") -> Exchange:
    deltas = [(calling(arguments), None), ({}, finish_reason)]
    events = [{"choices": [{"index": 0, "delta": d, "finish_reason": f}]} for d, f in deltas]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()
    request = Request("POST", "/", body=b'{"stream": true}')
    headers = (("content-type", "text/event-stream"),)
    return Exchange("x2", "s", request, 200, headers, (Chunk(0.0, body),), None, 0.0)


SAID, OTHER = whole({"content": "One."}), whole({"content": "Two."})
CALL = whole(calling('{"level": 5}'), "tool_calls")


@pytest.mark.parametrize("arguments", ['{ "level":5 }', '{"level": 5.0}', '{"\\u006cevel": 5}'])
def test_the_same_json_is_the_same_arguments(arguments: str) -> None:
    assert isinstance(same_arguments(SAID, SAID, CALL, streamed(arguments)), Kept)


@pytest.mark.parametrize(
    "arguments", ['{"level": "5"}', '{"level": 5, "unit": "%"}', "{}", '{"level": true}']
)
def test_other_arguments_are_told(arguments: str) -> None:
    found = same_arguments(SAID, SAID, CALL, streamed(arguments))
    assert isinstance(found, Deviation)
    assert found.expected == "{\"level\": 5} for 'set_colour', as in the whole answer"


@pytest.mark.parametrize(
    ("again", "stream", "reason"),
    [
        (OTHER, streamed("{}"), Reason.NOT_REPEATED),
        (SAID, streamed('{"le', "length"), Reason.CUT_OFF),
        (SAID, streamed('{"level": five}'), Reason.FIELD_NOT),
    ],
    ids=["greedy text that does not repeat", "a call that was cut", "no JSON"],
)
def test_where_others_may_be_why_nothing_is_told(again: Exchange, stream: Exchange, reason: Reason) -> None:
    with pytest.raises(Stop) as stopped:
        same_arguments(SAID, again, CALL, stream)
    assert stopped.value.outcome.reason is reason
