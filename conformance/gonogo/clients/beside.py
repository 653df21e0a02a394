"""Replays in a process beside this one: it imports the clients, which takes most of a second, and replays.

What it says is taken, and what it does not say is replayed in this process: a child that cannot be started, dies,
stalls or says what nobody understands costs time and nothing else.
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, Self

from gonogo.clients.ahead import COMMAND, take
from gonogo.clients.breakage import Breakage, NotInstalled
from gonogo.clients.readers import fitting
from gonogo.clients.replaying import Outcomes
from gonogo.exchange_json import to_json

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Mapping

    from gonogo.clients.replaying import Outcome, Replay
    from gonogo.exchange import Exchange

STALL = 60.0  # seconds without a word of the child, after which it is not waited for

Asked = tuple["Exchange", tuple[str, ...]]


class Beside:
    """Replays in a child, which lives as long as this context.

    `command` starts the child, `stall` is the longest that it is waited for without a word of it, in seconds.
    """

    def __init__(self, command: tuple[str, ...] = COMMAND, stall: float = STALL) -> None:
        self._command = command
        self._stall = stall
        self._exchanges: dict[str, Exchange] = {}
        self._known: dict[Replay, Outcome] = {}
        self._asked: SimpleQueue[Asked | None] = SimpleQueue()
        self._child: subprocess.Popen[str] | None = None
        self._threads: tuple[threading.Thread, ...] = ()

    def __enter__(self) -> Self:
        self._child = take(self._command)
        if self._child is not None:
            assert self._child.stdin is not None
            assert self._child.stdout is not None
            # Threads, as a pipe that is full must stop neither the requests under way nor the child.
            self._threads = (
                threading.Thread(target=_write, args=(self._child.stdin, self._asked), daemon=True),
                threading.Thread(target=_read, args=(self._child.stdout, self._known), daemon=True),
            )
            for thread in self._threads:
                thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def submit(self, exchange: Exchange) -> None:
        """Hand in an exchange; after `results` it is replayed in this process."""
        self._exchanges[exchange.id] = exchange
        names = fitting(exchange)
        if names:
            self._asked.put((exchange, names))

    def results(self) -> Mapping[Replay, Outcome]:
        """The outcomes, those of the child waited for; what it did not tell is replayed when it is asked for."""
        self._asked.put(None)
        if self._threads:
            _, reading = self._threads
            told = -1
            while reading.is_alive() and told < len(self._known):
                told = len(self._known)
                reading.join(self._stall)
        self._end()
        return Outcomes(dict(self._exchanges), self._known)

    def _end(self) -> None:
        """Leave neither the child nor a thread or a pipe to it behind."""
        if self._child is None:
            return
        self._child.kill()
        self._asked.put(None)
        for thread in self._threads:
            thread.join()
        self._child.wait()
        self._child, self._threads = None, ()


def _write(child: IO[str], asked: SimpleQueue[Asked | None]) -> None:
    """Tell the child what to replay, a line an exchange, until there is no more."""
    with suppress(OSError):  # it died; what it did not tell is replayed in this process
        while (item := asked.get()) is not None:
            exchange, names = item
            child.write(json.dumps({"exchange": to_json(exchange), "readers": names}) + "\n")
            child.flush()
    with suppress(OSError):
        child.close()


def _read(child: IO[str], known: dict[Replay, Outcome]) -> None:
    """Keep what the child tells, a line a replay, until its end."""
    with child:
        for line in child:
            with suppress(ValueError, TypeError, KeyError):  # cut off where it died, or no child of ours
                found = json.loads(line)
                known[found["reader"], found["exchange"]] = from_told(found["outcome"])


def to_told(outcome: Outcome) -> dict[str, str] | None:
    """An outcome as JSON."""
    match outcome:
        case Breakage(client, version, how):
            return {"client": client, "version": version, "how": how}
        case NotInstalled():
            return {"missing": outcome.client}
    return None


def from_told(told: dict[str, str] | None) -> Outcome:
    """The outcome that `to_told` made JSON of."""
    if told is None:
        return None
    return NotInstalled(told["missing"]) if "missing" in told else Breakage(**told)


def lines(exchange_id: str, outcomes: Iterable[tuple[str, Outcome]]) -> str:
    """What a child tells of an exchange: the outcome of each reader, a line each."""
    return "".join(
        json.dumps({"reader": name, "exchange": exchange_id, "outcome": to_told(found)}) + "\n"
        for name, found in outcomes
    )
