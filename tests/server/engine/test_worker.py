"""The thread that takes turns, without any model."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from gonogo_server.engine.mlx.worker import AT_ONCE, Worker
from gonogo_server.errors import EngineDied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 30.0


class Steps:
    """A job of some steps, each of which writes the job's name down."""

    def __init__(self, name: str = "job", steps: int = 1, action: Callable[[], None] | None = None) -> None:
        self.name = name
        self.left = steps
        self.action = action
        self.over = threading.Event()
        self.error: Exception | None = None

    def step(self, owned: list[str]) -> bool:
        owned.append(self.name)
        if self.action is not None:
            self.action()
        self.left -= 1
        if self.left:
            return True
        self.over.set()
        return False

    def fail(self, error: Exception) -> None:
        self.error = error
        self.over.set()

    def wait(self) -> Exception | None:
        assert self.over.wait(PATIENCE), f"{self.name} never ended"
        return self.error


@pytest.fixture
def trace() -> list[str]:
    return []


@pytest.fixture
def worker(trace: list[str]) -> Iterator[Worker[list[str]]]:
    made = Worker("test", lambda: trace, lambda owned: owned.append(f"released on {threading.get_ident()}"))
    made.start()
    yield made
    made.stop(PATIENCE)


def hold(worker: Worker[list[str]]) -> threading.Event:
    """Keep the thread busy until the event is set."""
    entered, gate = threading.Event(), threading.Event()

    def wait() -> None:
        entered.set()
        assert gate.wait(PATIENCE)

    worker.submit(Steps("holder", action=wait))
    assert entered.wait(PATIENCE)
    return gate


def test_jobs_take_turns_of_a_step_each(worker: Worker[list[str]], trace: list[str]) -> None:
    gate = hold(worker)
    first, second = Steps("a", 3), Steps("b", 2)
    worker.submit(first)
    worker.submit(second)
    gate.set()
    assert first.wait() is None
    assert second.wait() is None
    assert trace == ["holder", "a", "b", "a", "b", "a"]


def test_only_so_many_take_turns_and_the_others_wait(worker: Worker[list[str]], trace: list[str]) -> None:
    gate = hold(worker)
    jobs = [Steps(str(index), 2) for index in range(AT_ONCE + 1)]
    for job in jobs:
        worker.submit(job)
    assert worker.unfinished == AT_ONCE + 2
    gate.set()
    jobs[-1].wait()
    assert trace.index(str(AT_ONCE)) == 1 + 2 * AT_ONCE


def test_a_job_that_fails_takes_no_other_along(worker: Worker[list[str]]) -> None:
    def break_down() -> None:
        raise ValueError("broken")

    bad, good = Steps("bad", 3, break_down), Steps("good", 3)
    worker.submit(bad)
    worker.submit(good)
    assert isinstance(bad.wait(), ValueError)
    assert good.wait() is None
    assert worker.alive


def test_a_dying_thread_fails_everyone_who_waits_and_who_comes_later(worker: Worker[list[str]]) -> None:
    gate = hold(worker)

    def die() -> None:
        raise SystemExit("out of order")

    jobs = [Steps("killer", 2, die), Steps("running", 100_000), *(Steps() for _ in range(2 * AT_ONCE))]
    for job in jobs:
        worker.submit(job)
    gate.set()
    for job in jobs:
        assert isinstance(job.wait(), EngineDied)
    assert not worker.alive
    with pytest.raises(EngineDied, match=r"out of order.*start the server again"):
        worker.submit(Steps())


def test_stopping_fails_what_is_not_done_and_releases_on_the_same_thread(
    worker: Worker[list[str]], trace: list[str]
) -> None:
    threads: list[int] = []
    endless = Steps("endless", -1, lambda: threads.append(threading.get_ident()))
    worker.submit(endless)
    worker.stop(PATIENCE)
    assert isinstance(endless.error, EngineDied)
    assert trace[-1] == f"released on {worker._thread.ident}"
    assert set(threads) <= {worker._thread.ident}


def test_what_making_raises_is_raised_at_the_start(trace: list[str]) -> None:
    def make() -> list[str]:
        raise FileNotFoundError("no model")

    broken = Worker("broken", make, lambda owned: owned.clear())
    with pytest.raises(FileNotFoundError, match="no model"):
        broken.start()
    with pytest.raises(EngineDied):
        broken.submit(Steps())
    broken.stop(PATIENCE)
