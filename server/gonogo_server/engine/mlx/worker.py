"""The single thread that owns everything that only one thread may touch.

mlx's streams belong to the thread that made them, so that a model is loaded, stepped and released on one thread
(ml-explore/mlx#3727, ml-explore/mlx-lm#1256). Nothing here knows of mlx.
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
"""Clients get to read it, so that the reason, which may tell of this machine, stands in the log alone."""

PATIENCE = 10.0
"""Seconds that the end of the process waits for a step in progress, where nobody called `stop`."""


class Machine(Protocol):
    """What the thread owns. Every method is called on the thread."""

    def step(self) -> bool:
        """Do one round of the work there is; False if there is none left. What it raises ends the thread."""

    def fail(self, error: Exception) -> None:
        """Tell all who wait that there will be no further step."""

    def release(self) -> None:
        """Let go of everything."""


Owned = TypeVar("Owned", bound=Machine)
Result = TypeVar("Result")


class Worker(Generic[Owned]):
    """A thread that calls `make`, then obeys calls and steps what that returned, and last releases it.

    It never ends by itself: once stopped it sleeps until the process ends.
    """

    def __init__(self, name: str, make: Callable[[], Owned]) -> None:
        self._make = make
        self._made: Future[None] = Future()
        self._owned: Owned | None = None
        self._inbox: queue.SimpleQueue[tuple[Callable[[Owned], object], Future[object]] | None] = (
            queue.SimpleQueue()
        )
        # Guards the step from alive to dead: no call may get into the inbox after the last look at it.
        self._lock = threading.Lock()
        self._end: str | None = None
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread and wait for `make`; what that raises is raised here."""
        # A daemon thread that still computes when the interpreter goes takes the process down with an abort.
        atexit.register(self.stop, PATIENCE)
        self._thread.start()
        self._made.result()

    def call(self, work: Callable[[Owned], Result]) -> Future[Result]:
        """Have `work` called between two steps; what it returns or raises is the future's.

        Raises `EngineDied` if no thread is left to do it.
        """
        future: Future[Result] = Future()
        with self._lock:
            self.check()
            self._inbox.put((work, future))  # type: ignore[arg-type]  # a future of anything, here
        return future

    def stop(self, timeout: float | None = None) -> None:
        """Fail what is not done, release, and wait for that, `timeout` seconds at most."""
        self._inbox.put(None)
        self._finished.wait(timeout)
        atexit.unregister(self.stop)

    def give_up(self) -> None:
        """Where a step never ends: fail what is not done, from another thread, and wait for nothing more.

        What the thread owns is not released: the process has to end without it.
        """
        self._refuse_all(DIED)
        assert self._owned is not None, "it is stepped"
        self._owned.fail(EngineDied(DIED))
        self._finished.set()

    def check(self) -> None:
        """Raises `EngineDied`, with a sentence for clients, once the thread will do nothing more."""
        if self._end is not None:
            raise EngineDied(self._end)

    @property
    def alive(self) -> bool:
        """Whether anything is still done."""
        return self._end is None

    def _run(self) -> None:
        try:
            self._work()
        finally:
            self._finished.set()
            # Parked, not ended: when a thread ends, the destructors of what mlx kept for it call into Python;
            # where the interpreter has gone by then, the process aborts (seen with mlx 0.32.4, in the
            # compile cache's). A daemon thread that sleeps just vanishes with the process.
            threading.Event().wait()

    def _work(self) -> None:
        try:
            owned = self._owned = self._make()
        except BaseException as error:  # noqa: BLE001 - raised again where start() waits
            self._refuse_all("The engine did not start; restart the server.")
            self._made.set_exception(error)
            return
        self._made.set_result(None)
        end, died = "The engine was stopped; restart the server.", None
        try:
            busy = False
            while self._obey(owned, wait=not busy):
                busy = owned.step()
        except BaseException as error:  # noqa: BLE001 - logged below
            end, died = DIED, error
        self._refuse_all(end)
        owned.fail(EngineDied(end))
        # Only now, as a log that cannot be written may not keep anyone waiting.
        try:
            if died is not None:
                log.critical("The engine's thread died.", exc_info=died)
        finally:
            owned.release()

    def _obey(self, owned: Owned, *, wait: bool) -> bool:
        """Do the calls that are there, after waiting for one if need be; False when told to stop."""
        while wait or not self._inbox.empty():
            call = self._inbox.get()
            if call is None:
                return False
            wait = False
            _do(*call, owned)
        return True

    def _refuse_all(self, end: str) -> None:
        with self._lock:
            self._end = end
            while not self._inbox.empty():
                if (call := self._inbox.get()) is not None and call[1].set_running_or_notify_cancel():
                    call[1].set_exception(EngineDied(end))


def _do(work: Callable[[Owned], object], future: Future[object], owned: Owned) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work(owned))
    except Exception as error:  # noqa: BLE001 - it is the caller's
        # Its frames would keep what only this thread may release.
        future.set_exception(error.with_traceback(None))
    except BaseException:
        future.set_exception(EngineDied(DIED))
        raise
