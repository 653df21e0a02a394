"""A thread that owns all objects that only one thread may use.

mlx's streams belong to the thread that created them, so a model has to be loaded, stepped and released on one thread
(ml-explore/mlx#3727, ml-explore/mlx-lm#1256). This module does not use mlx.
"""

from __future__ import annotations

import atexit
import logging
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from gonogo_server.errors import EngineDied

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

DIED = "The engine's thread died (see the server's log); restart the server."
"""Clients see this message. The reason is only logged, because it may contain details of this machine."""

PATIENCE = 10.0
"""Seconds that the exit of the process waits for the current step if `stop` was not called."""


class Machine(Protocol):
    """The object that the thread owns; its methods are called on the thread."""

    def step(self) -> bool:
        """Do one step of the pending work; return False if there is none. An exception ends the thread."""

    def fail(self, error: Exception) -> None:
        """Fail all pending work with `error`; there will be no further step."""

    def release(self) -> None:
        """Release all resources."""


Owned = TypeVar("Owned", bound=Machine)
Result = TypeVar("Result")


class Worker(Generic[Owned]):
    """A thread that calls `make`, runs calls and steps on the object it returns, and finally releases it.

    The thread does not end: once stopped, it sleeps until the process ends.
    """

    def __init__(self, name: str, make: Callable[[], Owned]) -> None:
        self._make = make
        self._made: Future[None] = Future()
        self._owned: Owned | None = None
        self._inbox: queue.SimpleQueue[tuple[Callable[[Owned], object], Future[object]] | None] = (
            queue.SimpleQueue()
        )
        # Guards the change from alive to dead: no call may enter the inbox after it was emptied.
        self._lock = threading.Lock()
        self._end: str | None = None
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread and wait for `make`. Raises the exceptions of `make`."""
        # A daemon thread that still computes while the interpreter shuts down aborts the process.
        atexit.register(self.stop, PATIENCE)
        self._thread.start()
        self._made.result()

    def call(self, work: Callable[[Owned], Result]) -> Future[Result]:
        """Call `work` on the thread, between two steps; the future gets its result or exception.

        Raises `EngineDied` if the thread has stopped.
        """
        future: Future[Result] = Future()
        with self._lock:
            self.check()
            self._inbox.put((work, future))  # type: ignore[arg-type]  # a future of anything, here
        return future

    def stop(self, timeout: float | None = None) -> None:
        """Fail pending calls and release the object; wait for that for at most `timeout` seconds."""
        self._inbox.put(None)
        self._finished.wait(timeout)
        atexit.unregister(self.stop)

    def give_up(self) -> None:
        """Fail all pending calls and work from another thread, because the current step hangs.

        The owned object is not released, and `stop` no longer waits for the thread.
        """
        self._refuse_all(DIED)
        assert self._owned is not None, "a step is running"
        self._owned.fail(EngineDied(DIED))
        self._finished.set()

    def check(self) -> None:
        """Raise `EngineDied`, with a message for clients, if the thread has stopped."""
        if self._end is not None:
            raise EngineDied(self._end)

    @property
    def alive(self) -> bool:
        """Whether the thread still runs calls and steps."""
        return self._end is None

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._finished.set()
            # The thread sleeps instead of ending. When a thread ends, destructors of mlx call into Python. If the
            # interpreter is gone by then, the process aborts (seen with mlx 0.32.4, in the compile cache). A sleeping
            # daemon thread simply disappears with the process.
            threading.Event().wait()

    def _work(self) -> None:
        try:
            owned = self._owned = self._make()
        except BaseException as error:  # noqa: BLE001 - start() raises it
            self._refuse_all("The engine did not start; restart the server.")
            self._made.set_exception(error)
            return
        self._made.set_result(None)
        end, died = "The engine was stopped; restart the server.", None
        try:
            busy = False
            while self._run_calls(owned, wait=not busy):
                busy = owned.step()
        except BaseException as error:  # noqa: BLE001 - logged below
            end, died = DIED, error
        self._refuse_all(end)
        owned.fail(EngineDied(end))
        # Logged last, so that a log that blocks cannot delay the failures.
        try:
            if died is not None:
                log.critical("The engine's thread died.", exc_info=died)
        finally:
            owned.release()

    def _run_calls(self, owned: Owned, *, wait: bool) -> bool:
        """Run all calls in the inbox; with `wait`, wait for the first one. Return False on a request to stop."""
        while wait or not self._inbox.empty():
            call = self._inbox.get()
            if call is None:
                return False
            wait = False
            _run_call(*call, owned)
        return True

    def _refuse_all(self, end: str) -> None:
        with self._lock:
            self._end = end
            while not self._inbox.empty():
                if (call := self._inbox.get()) is not None and call[1].set_running_or_notify_cancel():
                    call[1].set_exception(EngineDied(end))


def _run_call(work: Callable[[Owned], object], future: Future[object], owned: Owned) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work(owned))
    except Exception as error:  # noqa: BLE001 - passed to the caller
        # The frames would keep objects alive that only this thread may release.
        future.set_exception(error.with_traceback(None))
    except BaseException:
        future.set_exception(EngineDied(DIED))
        raise
