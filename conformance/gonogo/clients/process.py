"""A replay process: it reads one exchange per line and writes one outcome per line."""

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

STALL = 60.0  # seconds without output from the process before it is stopped


class ReplayProcess:
    """A child process with pipes; the caller waits for its end.

    `hear` is called in a thread with each object that the child writes. It raises ValueError, TypeError or KeyError for
    an object that it does not understand; such objects are skipped, as are lines that are not JSON.
    """

    def __init__(self, child: subprocess.Popen[str], hear: Hear) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        self._child = child
        self._asked: SimpleQueue[Asked | None] = SimpleQueue()
        self._lines = 0
        # Threads, because a full pipe must block neither the requests in flight nor the child.
        self._writing = threading.Thread(target=_write, args=(child.stdin, self._asked), daemon=True)
        self._reading = threading.Thread(target=self._read, args=(child.stdout, hear), daemon=True)
        self._writing.start()
        self._reading.start()

    def ask(self, exchange: Exchange, readers: Sequence[str]) -> None:
        """Queue an exchange to be replayed with these readers; returns at once."""
        self._asked.put((exchange, readers))

    def finish(self, stall: float) -> bool:
        """Close the input, and wait for the remaining output; False if the child wrote nothing for `stall` seconds."""
        self._asked.put(None)
        told = -1
        while self._reading.is_alive() and told < self._lines:
            told = self._lines
            self._reading.join(stall)
        return not self._reading.is_alive()

    def end(self) -> None:
        """Stop the child, its threads and its pipes."""
        self._child.kill()
        self._asked.put(None)
        self._writing.join()
        self._reading.join()
        self._child.wait()

    def _read(self, child: IO[str], hear: Hear) -> None:
        """Pass on the objects that the child writes, until it ends."""
        with child:
            for line in child:
                with suppress(ValueError, TypeError, KeyError):  # truncated, or other output
                    hear(json.loads(line))
                self._lines += 1


def _write(child: IO[str], asked: SimpleQueue[Asked | None]) -> None:
    """Write one exchange per line to the child, until the queue ends."""
    with suppress(OSError):  # the child died; the caller notices the missing outcomes
        while (item := asked.get()) is not None:
            exchange, names = item
            child.write(json.dumps({"exchange": to_json(exchange), "readers": names}) + "\n")
            child.flush()
    with suppress(OSError):
        child.close()
