"""Calls whose arguments arrive interleaved are put one after the other."""

from __future__ import annotations

import pytest
from gonogo_server.answers.stream import Calling, Reasoned, Step, Text
from gonogo_server.errors import UpstreamError
from gonogo_server.filters.calls import Arguments, Call
from gonogo_server.surfaces.call_order import CallOrder


def call(number: int) -> Step:
    return Calling(0, Call(number, f"c{number}", "f"))


def arguments(number: int, text: str) -> Step:
    return Calling(0, Arguments(number, text))


def passed(steps: list[Step], *, cut: bool = False) -> list[list[Step]]:
    """The output for each step, and at the end."""
    order = CallOrder()
    return [*(order.take(step) for step in steps), order.end(cut=cut)]


def test_calls_in_their_order_pass_through_as_they_come() -> None:
    steps = [
        Text(0, "t"),
        call(0),
        arguments(0, "{"),
        arguments(0, "}"),
        call(1),
        arguments(1, "{}"),
        Text(0, "u"),
    ]
    assert passed(steps) == [*([step] for step in steps), []]


def test_items_within_the_arguments_of_a_call_wait_for_their_end() -> None:
    steps = [
        call(0),
        arguments(0, '{"a"'),
        call(1),
        arguments(1, "{"),
        arguments(0, ":1}"),
        arguments(1, "}"),
    ]
    assert passed(steps) == [
        [steps[0]],
        [steps[1]],
        [],
        [],
        [steps[4], steps[2], steps[3]],
        [steps[5]],
        [],
    ]


@pytest.mark.parametrize("step", [Text(0, "t"), Reasoned(0, "r")])
def test_text_amid_arguments_waits_too(step: Step) -> None:
    assert passed([call(0), arguments(0, "{"), step, arguments(0, "}")])[2:] == [
        [],
        [arguments(0, "}"), step],
        [],
    ]


def test_a_call_without_arguments_has_those_of_an_empty_object() -> None:
    assert passed([call(0), call(1)]) == [[call(0)], [], [arguments(0, "{}"), call(1), arguments(1, "{}")]]


def test_arguments_that_were_cut_at_a_limit_stay_as_they_are() -> None:
    assert passed([call(0)], cut=True)[-1] == []
    assert passed([call(0), arguments(0, "{")], cut=True)[-1] == []


def test_a_call_that_continues_after_its_end_is_an_error() -> None:
    order = CallOrder()
    for step in (call(0), arguments(0, "{}"), call(1), arguments(0, " ")):
        order.take(step)
    order.take(arguments(1, "{}"))
    with pytest.raises(UpstreamError, match="had ended"):
        order.take(arguments(0, "x"))
