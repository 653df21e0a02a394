"""Replays in a second process, because importing the clients takes most of a second. Outcomes that the child does not
report are replayed in this process: a child that cannot be started, dies, stalls or sends garbage costs only time.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Self

from gonogo.clients.ahead import COMMAND, take
from gonogo.clients.breakage import Breakage, NotInstalled, NotRun
from gonogo.clients.process import STALL, ReplayProcess
from gonogo.clients.readers import fitting
from gonogo.clients.replaying import Outcomes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gonogo.clients.replaying import Outcome, Replay
    from gonogo.exchange import Exchange


class Beside:
    """Replays in a child process, which runs as long as this context.

    `command` starts the child; `stall` is the longest time without output from it, in seconds.
    """

    def __init__(self, command: tuple[str, ...] = COMMAND, stall: float = STALL) -> None:
        self._command = command
        self._stall = stall
        self._exchanges: dict[str, Exchange] = {}
        self._known: dict[Replay, Outcome] = {}
        self._process: ReplayProcess | None = None

    def __enter__(self) -> Self:
        child = take(self._command)
        if child is not None:
            self._process = ReplayProcess(child, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def submit(self, exchange: Exchange) -> None:
        """Submit an exchange; after `results` it is replayed in this process."""
        self._exchanges[exchange.id] = exchange
        names = fitting(exchange)
        if names and self._process is not None:
            self._process.ask(exchange, names)

    def results(self) -> Mapping[Replay, Outcome]:
        """The outcomes; waits for the child. An outcome that it did not report is computed on access."""
        if self._process is not None:
            self._process.finish(self._stall)
        self._end()
        return Outcomes(dict(self._exchanges), self._known)

    def _hear(self, found: dict[str, Any]) -> None:
        self._known[found["reader"], found["exchange"]] = from_told(found["outcome"])

    def _end(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None


def to_told(outcome: Outcome) -> dict[str, str] | None:
    """An outcome as JSON."""
    match outcome:
        case Breakage(client, version, how):
            return {"client": client, "version": version, "how": how}
        case NotInstalled():
            return {"missing": outcome.client}
        case NotRun():
            return {"left": outcome.why}
    return None


def from_told(told: dict[str, str] | None) -> Outcome:
    """The outcome from the JSON of `to_told`."""
    if told is None:
        return None
    if "left" in told:
        return NotRun(told["left"])
    return NotInstalled(told["missing"]) if "missing" in told else Breakage(**told)


def lines(exchange_id: str, outcomes: Iterable[tuple[str, Outcome]]) -> str:
    """The lines that a child writes for an exchange: one outcome of a reader per line."""
    return "".join(
        json.dumps({"reader": name, "exchange": exchange_id, "outcome": to_told(found)}) + "\n"
        for name, found in outcomes
    )
