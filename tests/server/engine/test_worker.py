"""The thread that owns what only one thread may touch, without a model."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

import pytest
from gonogo_server.engine.mlx.worker import DIED, Worker
from gonogo_server.errors import EngineDied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 30.0


class Counter:
    """Counts down, one number per step, and records what happens on which thread."""

    def __init__(self) -> None:
        self.left = 0
        self.trace: list[object] = []
        self.threads: set[int] = set()
        self.waiters: list[Future[None]] = []
        self.action: Callable[[], None] | None = None

    def count(self, steps: int) -> Future[None]:
        """Done after this many steps."""
        self.left = steps
        self.waiters.append(Future())
        return self.waiters[-1]

    def step(self) -> bool:
        self.threads.add(threading.get_ident())
        if self.action is not None:
            self.action()
        if self.left:
            self.left -= 1
            self.trace.append(self.left)
        if not self.left:
            while self.waiters:
                self.waiters.pop().set_result(None)
        return bool(self.left)

    def fail(self, error: Exception) -> None:
        for waiter in self.waiters:
            waiter.set_exception(error)
        self.trace.append("failed")

    def release(self) -> None:
        self.threads.add(threading.get_ident())
        self.trace.append("released")


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def worker(counter: Counter) -> Iterator[Worker[Counter]]:
    made = Worker("test", lambda: counter)
    made.start()
    yield made
    made.stop(PATIENCE)


def wait_for(worker: Worker[Counter], steps: int) -> Future[None]:
    return worker.call(lambda owned: owned.count(steps)).result(PATIENCE)


def die() -> None:
    raise SystemExit("out of order")


def test_it_steps_until_nothing_is_left_and_then_waits_for_calls(
    worker: Worker[Counter], counter: Counter
) -> None:
    wait_for(worker, 3).result(PATIENCE)
    assert counter.trace == [2, 1, 0]
    wait_for(worker, 2).result(PATIENCE)
    assert counter.trace == [2, 1, 0, 1, 0]


def test_calls_are_obeyed_between_two_steps(worker: Worker[Counter]) -> None:
    endless = wait_for(worker, -1)
    assert worker.call(lambda owned: owned.left).result(PATIENCE) < 0
    assert not endless.done()


def test_an_exception_of_a_call_is_raised_in_its_caller_and_the_thread_continues(
    worker: Worker[Counter],
) -> None:
    def refuse(_: Counter) -> None:
        raise ValueError("not like this")

    with pytest.raises(ValueError, match="not like this"):
        worker.call(refuse).result(PATIENCE)
    assert worker.call(lambda _: 7).result(PATIENCE) == 7


def test_a_call_that_was_cancelled_before_its_turn_is_not_made(worker: Worker[Counter]) -> None:
    entered, gate = threading.Event(), threading.Event()
    made: list[str] = []

    def hold(_: Counter) -> None:
        entered.set()
        assert gate.wait(PATIENCE)

    worker.call(hold)
    assert entered.wait(PATIENCE)
    unwanted = worker.call(lambda _: made.append("unwanted"))
    wanted = worker.call(lambda _: made.append("wanted"))
    assert unwanted.cancel()
    gate.set()
    wanted.result(PATIENCE)
    assert made == ["wanted"]


def test_a_step_that_ends_the_thread_fails_waiting_and_later_requests(
    worker: Worker[Counter], counter: Counter
) -> None:
    endless = wait_for(worker, -1)
    counter.action = die
    with pytest.raises(EngineDied, match="restart the server"):
        endless.result(PATIENCE)
    assert not worker.alive
    with pytest.raises(EngineDied, match="restart the server"):
        worker.call(lambda _: None)
    with pytest.raises(EngineDied):
        worker.check()


def test_the_reason_of_a_dead_thread_is_logged_and_not_sent_to_clients(
    worker: Worker[Counter], counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    endless = wait_for(worker, -1)
    counter.action = die
    messages = [str(endless.exception(PATIENCE))]
    for late in (worker.check, lambda: worker.call(lambda _: None)):
        with pytest.raises(EngineDied) as refused:
            late()
        messages.append(str(refused.value))
    assert set(messages) == {DIED}
    # It is released after the log was written.
    worker.stop(PATIENCE)
    assert "SystemExit: out of order" in caplog.text


def test_a_call_that_ends_the_thread_fails_itself_and_those_behind_it(worker: Worker[Counter]) -> None:
    entered, gate = threading.Event(), threading.Event()

    def hold(_: Counter) -> None:
        entered.set()
        assert gate.wait(PATIENCE)
        die()

    first = worker.call(hold)
    assert entered.wait(PATIENCE)
    behind = [worker.call(lambda _: None) for _ in range(3)]
    gate.set()
    for call in (first, *behind):
        assert isinstance(call.exception(PATIENCE), EngineDied)


@pytest.mark.usefixtures("broken_log")
def test_a_dying_thread_fails_everyone_even_where_its_death_cannot_be_logged(
    worker: Worker[Counter], counter: Counter
) -> None:
    endless = wait_for(worker, -1)
    counter.action = die
    assert isinstance(endless.exception(PATIENCE), EngineDied)
    assert not worker.alive


def test_stopping_fails_what_is_not_done_and_releases_on_the_same_thread(
    worker: Worker[Counter], counter: Counter
) -> None:
    endless = wait_for(worker, -1)
    worker.stop(PATIENCE)
    assert isinstance(endless.exception(PATIENCE), EngineDied)
    assert counter.trace[-2:] == ["failed", "released"]
    assert counter.threads == {worker._thread.ident}


def test_an_exception_of_the_factory_is_raised_by_start() -> None:
    def make() -> Counter:
        raise FileNotFoundError("no model")

    broken = Worker("broken", make)
    with pytest.raises(FileNotFoundError, match="no model"):
        broken.start()
    with pytest.raises(EngineDied):
        broken.call(lambda _: None)
    broken.stop(PATIENCE)


def test_a_step_that_never_ends_can_be_given_up(worker: Worker[Counter], counter: Counter) -> None:
    entered, gate = threading.Event(), threading.Event()

    def hang() -> None:
        entered.set()
        assert gate.wait(PATIENCE)

    counter.action = hang
    waiting = wait_for(worker, 1)
    assert entered.wait(PATIENCE)
    behind = worker.call(lambda owned: owned.left)
    worker.give_up()
    for future in (waiting, behind):
        with pytest.raises(EngineDied, match="restart the server"):
            future.result(PATIENCE)
    assert not worker.alive
    worker.stop(PATIENCE)  # waits for nothing
    counter.waiters.clear()
    gate.set()
