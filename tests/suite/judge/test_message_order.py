"""The order of the events of a streamed message: correct orders pass, and each mistake is one breach."""

from __future__ import annotations

import pytest
from gonogo.judge.message_order import MISTAKES, NEXT, ORDERED, Breach, State, follow

START, OPEN, DELTA, STOP, END, LAST = ORDERED
BLOCK = [(OPEN, 0), (DELTA, 0), (STOP, 0)]
HEAD, TAIL = [(START, None)], [(END, None), (LAST, None)]
SECOND = [(kind, 1) for kind, _ in BLOCK]


@pytest.mark.parametrize(
    "events",
    [
        [*HEAD, *BLOCK, *TAIL],
        [*HEAD, *BLOCK, *SECOND, *TAIL],
        [*HEAD, *TAIL],
        [
            ("ping", None),
            *HEAD,
            ("ping", None),
            *BLOCK[:1],
            ("gonogo", None),
            *BLOCK[1:],
            ("ping", None),
            *TAIL,
        ],
        [*HEAD, *BLOCK, (END, None), ("ping", None), *TAIL],
        [*HEAD, (OPEN, 0), (STOP, 0), *TAIL],
        [*HEAD, *BLOCK[:2], ("error", None)],
        [("error", None)],
        [],
    ],
    ids=str,
)
def test_allowed_events_are_not_a_breach(events: list[tuple[str, int | None]]) -> None:
    course = follow(events)
    assert course.breaches == {}
    assert not events or course.state is State.OVER


@pytest.mark.parametrize(
    ("events", "breach", "place"),
    [
        ([*BLOCK, *TAIL], Breach.BEGINS_OTHERWISE, 0),
        ([*HEAD, *HEAD, *BLOCK, *TAIL], Breach.BEGINS_AGAIN, 1),
        ([*HEAD, *BLOCK[:2], *HEAD, *BLOCK[2:], *TAIL], Breach.BEGINS_AGAIN, 3),
        ([*HEAD, *BLOCK, (END, None), *HEAD, (LAST, None)], Breach.BEGINS_AGAIN, 5),
        ([*HEAD, *BLOCK[1:], *TAIL], Breach.NOT_OPEN, 1),
        ([*HEAD, *BLOCK, (DELTA, 0), *TAIL], Breach.NOT_OPEN, 4),
        ([*HEAD, *BLOCK[:1], (DELTA, 7), *BLOCK[1:], *TAIL], Breach.NOT_OPEN, 2),
        ([*HEAD, *SECOND, *TAIL], Breach.NOT_NUMBERED, 1),
        ([*HEAD, *BLOCK, *BLOCK, *TAIL], Breach.NOT_NUMBERED, 4),
        ([*HEAD, *BLOCK[:2], *SECOND[:2], *TAIL], Breach.LEFT_OPEN, 3),
        (
            [*HEAD, (OPEN, 0), (OPEN, 1), (DELTA, 0), (DELTA, 1), (STOP, 0), (STOP, 1), *TAIL],
            Breach.LEFT_OPEN,
            2,
        ),
        ([*HEAD, *BLOCK[:2], *TAIL], Breach.LEFT_OPEN, 3),
        ([*HEAD, (END, None), *BLOCK, (LAST, None)], Breach.BLOCK_AFTER_END, 2),
        ([*HEAD, *BLOCK, (LAST, None)], Breach.NOT_ENDED, 4),
        ([*HEAD, *BLOCK, *TAIL, ("ping", None)], Breach.AFTER_STOP, 6),
        ([*HEAD, ("error", None), (LAST, None)], Breach.AFTER_STOP, 2),
        ([*HEAD, *BLOCK, (END, None)], Breach.UNFINISHED, 4),
        ([*HEAD, *BLOCK], Breach.UNFINISHED, 3),
    ],
    ids=str,
)
def test_each_mistake_is_one_breach(events: list[tuple[str, int | None]], breach: Breach, place: int) -> None:
    assert follow(events).breaches == {breach: place}


@pytest.mark.parametrize("number", [None, -1])
def test_a_delta_without_a_block_number_belongs_to_the_open_block(number: int | None) -> None:
    assert follow([*HEAD, (OPEN, 0), (DELTA, number), (STOP, number), *TAIL]).breaches == {}


def test_the_table_says_of_every_event_in_every_state_what_is_then() -> None:
    for state in set(State) - {State.OVER}:
        assert set(NEXT[state]) | set(MISTAKES[state]) == set(ORDERED), state
        assert set(NEXT[state]) & set(MISTAKES[state]) == set(), state
