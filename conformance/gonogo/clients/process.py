"""A replay process: receives an exchange per line and returns a replay per line."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Any

from gonogo.exchange_json import to_json

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence

    from gonogo.exchange import Exchange

    Asked = tuple[Exchange, Sequence[str]]
    Hear = Callable[[dict[str, Any]], None]

STALL = 60.0  # seconds without output from the process, after which it is given up


class ReplayProcess:
    """A child that was started with pipes, whose end the one who has this sees to.

    `hear` is called in a thread with each object that the child tells. It raises ValueError, TypeError or KeyError for
    one that it does not understand; that is passed over, as are lines that are none.
    """

    def __init__(self, child: subprocess.Popen[str], hear: Hear) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        self._child = child
        self._asked: SimpleQueue[Asked | None] = SimpleQueue()
        self._lines = 0
        # Threads, as a pipe that is full must stop neither the requests in flight nor the child.
        self._writing = threading.Thread(target=_write, args=(child.stdin, self._asked), daemon=True)
        self._reading = threading.Thread(target=self._read, args=(child.stdout, hear), daemon=True)
        self._writing.start()
        self._reading.start()

    def ask(self, exchange: Exchange, readers: Sequence[str]) -> None:
        """Have it replay an exchange to these readers; returns at once."""
        self._asked.put((exchange, readers))

    def finish(self, stall: float) -> bool:
        """Ask no more, and wait until the child has told all; False if it said nothing for `stall` seconds."""
        self._asked.put(None)
        told = -1
        while self._reading.is_alive() and told < self._lines:
            told = self._lines
            self._reading.join(stall)
        return not self._reading.is_alive()

    def end(self) -> None:
        """Leave neither the child nor a thread or a pipe to it behind."""
        self._child.kill()
        self._asked.put(None)
        self._writing.join()
        self._reading.join()
        self._child.wait()

    def _read(self, child: IO[str], hear: Hear) -> None:
        """Hand on what the child tells, until its end."""
        with child:
            for line in child:
                with suppress(ValueError, TypeError, KeyError):  # cut off where it died, or no child of ours
                    hear(json.loads(line))
                self._lines += 1


def _write(child: IO[str], asked: SimpleQueue[Asked | None]) -> None:
    """Tell the child what to replay, a line an exchange, until there is no more."""
    with suppress(OSError):  # it died; the caller sees that there is no outcome
        while (item := asked.get()) is not None:
            exchange, names = item
            child.write(json.dumps({"exchange": to_json(exchange), "readers": names}) + "\n")
            child.flush()
    with suppress(OSError):
        child.close()
