"""Replays: answers are submitted while they are recorded, and the outcomes are read later.

`Here` replays in this process, when an outcome is requested. `gonogo.clients.beside` does the same in a process of its
own, while the rest of a run continues.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol
from weakref import WeakKeyDictionary

from gonogo.clients.breakage import Breakage, NotInstalled, NotRun
from gonogo.clients.node_readers import NODE_READERS
from gonogo.clients.readers import READERS, fitting

if TYPE_CHECKING:
    from gonogo.exchange import Exchange

Outcome = Breakage | NotInstalled | NotRun | None
"""The outcome of a client on an answer; None if it reads the answer."""
Replay = tuple[str, str]
"""The name of a reader (`gonogo.clients.readers`) and the id of an exchange."""


class Replays(Protocol):
    """Takes exchanges, each with its own id, and replays those that a client would read."""

    def submit(self, exchange: Exchange) -> None:
        """Submit an exchange; returns at once."""
        ...

    def results(self) -> Mapping[Replay, Outcome]:
        """The outcomes of all exchanges submitted so far."""
        ...


class Outcomes(Mapping[Replay, Outcome]):
    """The known outcomes of the replays of some exchanges; the rest is computed here on access.

    Iterates over the replays that `fitting` names. Another reader can be requested too. Raises KeyError for an unknown
    reader or exchange.
    """

    def __init__(
        self, exchanges: Mapping[str, Exchange], known: Mapping[Replay, Outcome] | None = None
    ) -> None:
        self._exchanges = exchanges
        self._known = dict(known or {})

    def __getitem__(self, replay: Replay) -> Outcome:
        if replay not in self._known:
            reader, exchange_id = replay
            self._known[replay] = outcome(reader, self._exchanges[exchange_id])
        return self._known[replay]

    def __iter__(self) -> Iterator[Replay]:
        return ((name, exchange.id) for exchange in self._exchanges.values() for name in fitting(exchange))

    def __len__(self) -> int:
        return sum(len(fitting(exchange)) for exchange in self._exchanges.values())


class Here:
    """Replays in this process: each when its outcome is requested, so that no client is imported before."""

    def __init__(self) -> None:
        self._exchanges: dict[str, Exchange] = {}

    def submit(self, exchange: Exchange) -> None:
        """Keep an exchange for later."""
        self._exchanges[exchange.id] = exchange

    def results(self) -> Mapping[Replay, Outcome]:
        """The outcomes, each computed on access."""
        return Outcomes(dict(self._exchanges))


def outcome(reader: str, exchange: Exchange) -> Outcome:
    """The outcome of the named reader on an answer, by a replay in this process.

    Raises KeyError for an unknown reader. Clients for Node are not run here; without a known outcome they are `NotRun`.
    """
    if reader in NODE_READERS:
        return NotRun("Node was not run")
    try:
        return READERS[reader](exchange)
    except NotInstalled as absence:
        return absence


# A replay depends on the exchange alone, so an outcome from another process is reused.
_REMEMBERED: WeakKeyDictionary[Exchange, dict[str, Outcome]] = WeakKeyDictionary()


def remember(exchange: Exchange, reader: str, found: Outcome) -> None:
    """Keep the outcome of a replay for the lifetime of the exchange."""
    _REMEMBERED.setdefault(exchange, {})[reader] = found


def remembered(exchange: Exchange, reader: str) -> Outcome:
    """The outcome of a replay, computed in this process if none is kept."""
    known = _REMEMBERED.setdefault(exchange, {})
    if reader not in known:
        known[reader] = outcome(reader, exchange)
    return known[reader]
