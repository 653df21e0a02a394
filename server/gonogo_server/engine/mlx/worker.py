"""The one thread that owns what may be touched by one thread only, and takes turns between jobs on it.

mlx's streams belong to the thread that made them, so that a model is loaded, stepped and released on one thread
(ml-explore/mlx#3727, ml-explore/mlx-lm#1256). Nothing here knows of mlx.
"""

from __future__ import annotations

import atexit
import logging
import queue
import threading
from collections import deque
from concurrent.futures import Future
from itertools import islice
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from gonogo_server.errors import EngineDied

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

Owned = TypeVar("Owned")
Owned_contra = TypeVar("Owned_contra", contravariant=True)

AT_ONCE = 8
"""Jobs that take turns; those that came later wait, so that what runs fits into memory."""

PATIENCE = 10.0
"""Seconds that the end of the process waits for a step in progress, where nobody called `stop`."""


class Job(Protocol[Owned_contra]):
    """Work in steps. Every method is called on the worker's thread, and a job that fails takes no other along."""

    def step(self, owned: Owned_contra) -> bool:
        """Do one step; False once there is nothing more to do."""

    def fail(self, error: Exception) -> None:
        """Take note that there will be no further step: `step` raised `error`, or the worker has died."""


class Worker(Generic[Owned]):
    """A thread that calls `make`, then steps jobs with what that returned, and last calls `release` with it.

    It never ends by itself: once stopped it sleeps until the process ends.
    """

    def __init__(self, name: str, make: Callable[[], Owned], release: Callable[[Owned], None]) -> None:
        self._make = make
        self._release = release
        self._made: Future[None] = Future()
        self._inbox: queue.SimpleQueue[Job[Owned] | None] = queue.SimpleQueue()
        self._jobs: deque[Job[Owned]] = deque()
        # Guards the step from alive to dead: no job may get into the inbox after the last look at it.
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

    def submit(self, job: Job[Owned]) -> None:
        """Have the job stepped, in turn with the others. Raises `EngineDied` where no thread is left to do it."""
        with self._lock:
            self.check()
            self._inbox.put(job)

    def stop(self, timeout: float | None = None) -> None:
        """Fail what is not done, release, and wait for that, `timeout` seconds at most."""
        self._inbox.put(None)
        self._finished.wait(timeout)
        atexit.unregister(self.stop)

    def check(self) -> None:
        """Raises `EngineDied`, with the reason, once the thread will do nothing more."""
        if self._end is not None:
            raise EngineDied(self._end)

    @property
    def alive(self) -> bool:
        """Whether jobs are still done."""
        return self._end is None

    @property
    def unfinished(self) -> int:
        """Jobs that take turns or wait for one."""
        return len(self._jobs) + self._inbox.qsize()

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
            owned = self._make()
        except BaseException as error:  # noqa: BLE001 - raised again where start() waits
            self._fail_all("The engine never came to life; start the server again.")
            self._made.set_exception(error)
            return
        self._made.set_result(None)
        end = "The engine was stopped; start the server again."
        try:
            while self._take_jobs():
                self._take_turns(owned)
        except BaseException as error:
            log.critical("The engine's thread died.", exc_info=True)
            end = f"The engine's thread died ({error!r}); start the server again."
        self._fail_all(end)
        self._release(owned)

    def _take_jobs(self) -> bool:
        """Empty the inbox, waiting for a job while there is none; False when told to stop."""
        while not self._jobs or not self._inbox.empty():
            job = self._inbox.get()
            if job is None:
                return False
            self._jobs.append(job)
        return True

    def _take_turns(self, owned: Owned) -> None:
        for job in tuple(islice(self._jobs, AT_ONCE)):
            if not self._step(job, owned):
                self._jobs.remove(job)

    def _step(self, job: Job[Owned], owned: Owned) -> bool:
        try:
            return job.step(owned)
        except Exception as error:
            log.exception("A job on the engine's thread failed.")
            # Its frames would keep what only this thread may release.
            job.fail(error.with_traceback(None))
            return False

    def _fail_all(self, end: str) -> None:
        with self._lock:
            self._end = end
            while not self._inbox.empty():
                if (job := self._inbox.get()) is not None:
                    self._jobs.append(job)
        while self._jobs:
            self._jobs.popleft().fail(EngineDied(end))
