from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from gonogo.exchange import Chunk, Exchange, Request
from gonogo.judge.checks.tool_streams import arguments_kept, same_arguments, same_calls
from gonogo.judge.outcome import Deviation, Kept, Stop
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.judge.outcome import Outcome


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
def test_differences_with_another_possible_cause_are_undecided(
    again: Exchange, stream: Exchange, reason: Reason
) -> None:
    with pytest.raises(Stop) as stopped:
        same_arguments(SAID, again, CALL, stream)
    assert stopped.value.outcome.reason is reason


def several(*arguments: str) -> dict[str, Any]:
    calls = [
        {"index": place, "id": f"c{place}", "function": {"name": "set_colour", "arguments": given}}
        for place, given in enumerate(arguments)
    ]
    return {"tool_calls": calls}


def cut(message: dict[str, Any]) -> Exchange:
    return whole(message, "length")


def cut_stream(message: dict[str, Any]) -> Exchange:
    events = [
        {"choices": [{"index": 0, "delta": message, "finish_reason": None}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]},
    ]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()
    return replace(streamed(""), chunks=(Chunk(0.0, body),))


COMPARED = {
    "names": same_calls,
    "arguments that are there": arguments_kept,
    "the same arguments": lambda *pair: same_arguments(SAID, SAID, *pair),
}


@pytest.mark.parametrize("compare", COMPARED.values(), ids=COMPARED)
@pytest.mark.parametrize("last", ['{"le', "", '{"level": 9}'])
def test_calls_truncated_in_both_forms_are_compared_up_to_the_last(
    compare: Callable[..., Outcome], last: str
) -> None:
    made, came = cut(several('{"level": 5}', '{"level": 6}')), cut_stream(several('{"level": 5}', last))
    found = compare(made, came)
    assert isinstance(found, Kept)
    assert [witness.count for witness in found.witnesses] == [1, 1]


def test_a_call_that_was_over_before_the_limit_came_has_its_arguments() -> None:
    made = cut(several('{"level": 5}', '{"level": 6}'))
    assert isinstance(arguments_kept(made, cut_stream(several("", '{"le'))), Deviation)
    assert isinstance(same_arguments(SAID, SAID, made, cut_stream(several('{"level": 7}', "{"))), Deviation)


@pytest.mark.parametrize("compare", COMPARED.values(), ids=COMPARED)
def test_one_call_that_the_limit_cut_is_compared_with_nothing(compare: Callable[..., Outcome]) -> None:
    for pair in (
        (cut(several('{"level": 5}')), cut_stream(several('{"level": 5}', '{"level": 5}'))),
        (CALL, cut_stream(several('{"level": 5}', '{"level": 5}'))),
    ):
        with pytest.raises(Stop) as stopped:
            compare(*pair)
        assert stopped.value.outcome.reason is Reason.CUT_OFF
