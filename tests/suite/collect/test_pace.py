"""Requests that are spread evenly over time, with a clock of the test."""

from __future__ import annotations

import asyncio

import pytest
from gonogo.collect.pace import Paced, parse_rate
from gonogo.errors import UsageError
from gonogo.exchange import Request
from suite.collect.scripted import ScriptedRecorder


class Clock:
    """A clock that advances only while someone sleeps, one sleeper after the other."""

    def __init__(self) -> None:
        self.time = 100.0
        self.begun: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.begun.append(self.time + seconds)


@pytest.mark.parametrize(
    ("text", "interval"), [("2", 0.5), ("2/s", 0.5), ("120/m", 0.5), ("0.5", 2.0), ("30/m", 2.0)]
)
def test_a_rate_is_a_number_a_second_or_a_minute(text: str, interval: float) -> None:
    assert parse_rate(text) == interval


@pytest.mark.parametrize("text", ["", "0", "0/m", "-1", "2/h", "2 / s / m", "fast", "1e9", "inf"])
def test_an_invalid_rate_is_refused_with_one_sentence(text: str) -> None:
    with pytest.raises(
        UsageError, match=r"is not a rate; give requests per second or per minute, such as 2/s or 90/m\.$"
    ):
        parse_rate(text)


def test_requests_that_are_asked_for_at_once_begin_one_interval_apart() -> None:
    clock, recorder = Clock(), ScriptedRecorder()
    paced = Paced(recorder, 0.5, lambda: clock.time, clock.sleep)

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(paced.record(Request("GET", "/x"), id=f"x{number}", stimulus=str(number)))

    asyncio.run(run())
    assert clock.begun == [100.5, 101.0, 101.5]  # the first does not wait
    assert recorder.keys == ["0", "1", "2", "3"]


def test_a_pause_is_not_made_up_for_by_a_burst() -> None:
    clock = Clock()
    paced = Paced(ScriptedRecorder(), 0.5, lambda: clock.time, clock.sleep)

    async def run() -> None:
        await paced.record(Request("GET", "/x"), id="x1", stimulus="a")
        clock.time += 10
        for name in "bc":
            await paced.record(Request("GET", "/x"), id=name, stimulus=name)

    asyncio.run(run())
    assert clock.begun == [110.5]
