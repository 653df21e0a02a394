"""A process that does one task after another and may crash without harm to this one.

It is started on first use, and restarted after it has ended. The pools of `multiprocessing` end with the
first process that dies, or wait for ever for one that hangs.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gonogo_server.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

Result = TypeVar("Result")

START_SECONDS: Final = 60.0
"""For the process to start and import what it needs."""


class WorkFailed(Exception):  # noqa: N818 - it says what happened
    """The work raised an unexpected exception: a bug, described by its repr."""


class WorkerEnded(Exception):  # noqa: N818 - it says what happened
    """The process ended during the work, or could not do it."""


class Worker:
    """Runs `ready` once in each process that it starts, before any work. Its methods block and may be called on any
    thread; one task runs at a time.
    """

    def __init__(self, ready: Callable[[], None]) -> None:
        self._ready = ready
        self._turn = threading.Lock()
        self._process: SpawnProcess | None = None
        self._connection: Connection[Any, Any] | None = None

    def call(self, seconds: float, work: Callable[..., Result], *given: object) -> Result:
        """What `work` (a function of a module) returns or raises in the process.

        Raises `TimeoutError` after `seconds` and ends the process, `WorkerEnded` if the process ended by itself or ran
        out of stack or memory, `WorkFailed` for a bug in the work, and `ServerError` if no process can be started.
        """
        with self._turn:
            try:
                self._begin()
            except (OSError, TimeoutError, WorkerEnded) as error:
                self._end()
                raise ServerError("The process for schemas cannot be started: see the log.") from error
            try:
                return self._called(seconds, work, given)
            except (TimeoutError, WorkerEnded):
                self._end()
                raise

    def close(self) -> None:
        """End the process; a later call starts another."""
        with self._turn:
            self._end()

    def _begin(self) -> None:
        if self._process is not None and self._process.is_alive():
            return
        self._end()
        # A fork would have copies of the engine's threads' locks.
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        process = context.Process(target=_serve, args=(other,), name="schemas", daemon=True)
        with other:
            process.start()
        self._process = process
        self._called(START_SECONDS, self._ready, ())

    def _called(self, seconds: float, work: Callable[..., Result], given: tuple[object, ...]) -> Result:
        assert self._connection is not None
        try:
            self._connection.send((work, given))
            if not self._connection.poll(seconds):
                raise TimeoutError
            went_well, result = self._connection.recv()
        except (EOFError, ConnectionError) as error:
            raise WorkerEnded from error
        if not went_well:
            raise result
        done: Result = result
        return done

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None


def _serve(connection: Connection[Any, Any]) -> None:
    """The main loop of the process, which ends when the other side closes the pipe."""
    # Ctrl-C goes to all processes of a terminal, but only the server handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            work, given = connection.recv()
        except EOFError:
            return
        try:
            connection.send((True, work(*given)))
        except ServerError as error:
            connection.send((False, error))
        except (RecursionError, MemoryError):
            connection.send((False, WorkerEnded()))
        except Exception as error:  # noqa: BLE001 - a bug is reported to the caller
            connection.send((False, WorkFailed(repr(error))))
