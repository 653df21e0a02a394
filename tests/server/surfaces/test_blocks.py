"""The steps of an answer as blocks."""

from __future__ import annotations

from itertools import product

import pytest
from gonogo_server.answers.stream import Calling, Counted, Finished, OutOfOrder, Reasoned, Started, Step, Text
from gonogo_server.filters.calls import Arguments, Call
from gonogo_server.surfaces.blocks import (
    TRANSITIONS,
    Arrival,
    Blocks,
    Closed,
    Ended,
    Grown,
    Kind,
    Opened,
    State,
)

CALL = Call(0, "c", "f")
STEPS: dict[Arrival, Step] = {
    Arrival.STARTED: Started(0),
    Arrival.REASONED: Reasoned(0, "r"),
    Arrival.TEXT: Text(0, "t"),
    Arrival.REFUSED: Text(0, "n", refused=True),
    Arrival.CALL: Calling(0, CALL),
    Arrival.ARGUMENTS: Calling(0, Arguments(0, "{}")),
    Arrival.FINISHED: Finished(0, "stop"),
    Arrival.COUNTED: Counted(1, 1),
}
WAYS: dict[State, tuple[Arrival, ...]] = {
    State.WAITING: (),
    State.BETWEEN: (Arrival.STARTED,),
    State.REASONING: (Arrival.STARTED, Arrival.REASONED),
    State.TEXT: (Arrival.STARTED, Arrival.TEXT),
    State.REFUSAL: (Arrival.STARTED, Arrival.REFUSED),
    State.CALL: (Arrival.STARTED, Arrival.CALL),
    State.ENDED: (Arrival.STARTED, Arrival.FINISHED),
    State.COUNTED: (Arrival.STARTED, Arrival.FINISHED, Arrival.COUNTED),
}


def test_each_block_is_opened_grows_and_is_closed_before_the_next() -> None:
    steps = [
        Started(0),
        Reasoned(0, "a"),
        Reasoned(0, "b"),
        Text(0, "c"),
        Calling(0, CALL),
        Calling(0, Arguments(0, "{}")),
        Calling(0, Call(1, "d", "g")),
        Finished(0, "length"),
        Counted(1, 2),
    ]
    assert Blocks().take(steps) == [
        Opened(Kind.REASONING),
        Grown("a"),
        Grown("b"),
        Closed(),
        Opened(Kind.TEXT),
        Grown("c"),
        Closed(),
        Opened(Kind.CALL, CALL),
        Grown("{}"),
        Closed(),
        Opened(Kind.CALL, Call(1, "d", "g")),
        Closed(cut=True),
        Ended("length"),
        Counted(1, 2),
    ]


@pytest.mark.parametrize(("state", "arrival"), list(product(State, Arrival)), ids=lambda one: one.name)
def test_a_step_that_cannot_come_now_is_out_of_order(state: State, arrival: Arrival) -> None:
    blocks = Blocks()
    blocks.take([STEPS[each] for each in WAYS[state]])
    if (state, arrival) in TRANSITIONS:
        blocks.take([STEPS[arrival]])
    else:
        with pytest.raises(OutOfOrder, match=arrival.name):
            blocks.take([STEPS[arrival]])


def test_the_stop_string_goes_with_the_end() -> None:
    ended = Finished(0, "stop", stop="###")
    assert Blocks().take([Started(0), ended]) == [Ended("stop", "###")]


@pytest.mark.parametrize("step", [Reasoned(0, "r"), Text(0, "n", refused=True)], ids=str)
def test_an_upstream_may_reason_or_refuse_after_its_text(step: Step) -> None:
    events = Blocks().take([Started(0), Text(0, "t"), step, Finished(0, "content_filter")])
    opened = [event.kind for event in events if isinstance(event, Opened)]
    assert opened == [Kind.TEXT, Kind.REASONING if isinstance(step, Reasoned) else Kind.REFUSAL]
    assert events[-2] == Closed(cut=True)
