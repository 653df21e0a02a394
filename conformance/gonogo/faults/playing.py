"""Applies a fault to the answers of a conforming server. No I/O; `gonogo.faults.proxy` serves them."""

from __future__ import annotations

import difflib
import functools
import json
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import TYPE_CHECKING

from gonogo.errors import UsageError
from gonogo.evidence import Record, Target
from gonogo.faults.catalogue.clients import broken_by
from gonogo.faults.catalogue.clients_node import BROKEN_BY_NODE
from gonogo.faults.editing import Both, Changed
from gonogo.faults.kinds import ANY_MODEL, KINDS, Faulty
from gonogo.faults.recognising import Recogniser, neutral
from gonogo.faults.sections import FAULTS
from gonogo.rules import load
from gonogo.stimuli.stimulus import Subject

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from gonogo.exchange import Exchange, Request
    from gonogo.faults.editing import Change

UNFIT = (ValueError, KeyError, IndexError, TypeError, AttributeError, AssertionError, StopIteration)
"""Exceptions of an edit on an answer for which it was not written; the answer is then unchanged."""


UNPLAYABLE = "unplayable.json"
"""The reasons why some faults cannot be observed from a server on loopback, by the names of the faults.

tasks/play_faults.py measured it.
"""


OTHERWISE = "otherwise.json"
"""The reasons why a run does not find some faults by their own rules if the scripted engine has them, although clients
are affected."""


@functools.cache
def _reasons(name: str) -> dict[str, str]:
    reasons: dict[str, str] = json.loads((resources.files(__package__) / name).read_text("utf-8"))
    return reasons


@dataclass(frozen=True, slots=True)
class Playable:
    """A fault for a live server: its `name`, the servers that it `imitates`, and the ids of the rules that it breaks
    (`turns`). Rules about Node clients, which not every run judges, are only in `rules`. Without a `change` it is one
    of the `kinds` that break many rules.
    """

    name: str
    imitates: str
    turns: frozenset[str]
    change: Change | None = None

    @property
    def rules(self) -> frozenset[str]:
        """The rules that it breaks, including those about Node clients."""
        return self.turns | broken_by(self.name, BROKEN_BY_NODE)

    @property
    def unplayable(self) -> str | None:
        """Why it cannot be observed on the wire; None if it can."""
        return _reasons(UNPLAYABLE).get(self.name)

    @property
    def otherwise(self) -> str | None:
        """Why a run of the suite finds it by other rules or not at all; None if by its own rules."""
        return _reasons(OTHERWISE).get(self.name)

    def begin(self) -> Playing:
        """A new server with the fault; each has its own state. Raises UsageError if the fault is not playable."""
        if self.unplayable:
            raise UsageError(f"The fault {self.name!r} cannot be played: {self.unplayable}.")
        faulty = KINDS[self.name]() if self.change is None else Faulty()
        return Playing(faulty, self.change)


def playable() -> tuple[Playable, ...]:
    """Every fault of the catalogue, then every fault of `kinds` by the name of its cause.

    The rules of a kind are not listed, because they depend on the server.
    """
    single = (Playable(f.name, f.imitates, f.turns | broken_by(f.name), f.change) for f in FAULTS)
    return (
        *single,
        *(Playable(name, "one mistake that shows in many places", frozenset()) for name in KINDS),
    )


def found(name: str) -> Sequence[Playable]:
    """The faults with this name or cause, or those that break the rule with this id, fewest rules first.

    Raises UsageError if there is none, with similar names.
    """
    every = playable()
    named = [fault for fault in every if fault.name == name]
    turning = [fault for fault in every if name in fault.rules]
    if not named and not turning:
        known = [*(fault.name for fault in every), *(rule for fault in every for rule in fault.rules)]
        like = difflib.get_close_matches(name, known, 3)
        hint = f" Did you mean {' or '.join(dict.fromkeys(map(repr, like)))}?" if like else ""
        raise UsageError(f"There is no fault {name!r}.{hint} `gonogo faults` lists them.")
    return named or sorted(turning, key=lambda fault: (fault.unplayable is not None, len(fault.turns)))


@dataclass
class Playing:
    """One broken server: the answers of the conforming one, with the fault applied.

    Its models are those that the conforming server lists; before they are requested, any model name is accepted.
    """

    faulty: Faulty
    change: Change | None = None
    models: Collection[str] = ()
    _subject: Subject = field(init=False)
    _recogniser: Recogniser = field(init=False)
    _sound: list[Exchange] = field(default_factory=list)
    _has_met: bool = False

    def __post_init__(self) -> None:
        """Start with a model that has any name."""
        self.serve({ANY_MODEL: None})

    def serve(self, models: Mapping[str, str | None]) -> None:
        """Set the models of the conforming server: their ids, with their types if known."""
        first, *_ = models
        embedding = next((name for name, kind in models.items() if kind == "embedding"), first)
        self.models = tuple(models)
        self._subject = Subject(first, embedding)
        self._recogniser = Recogniser(load().stimuli.values(), self._subject)

    def requests(self, request: Request) -> list[Request]:
        """The requests to send to the conforming server: the rewritten request, preceded by the original if that must
        be accepted.

        The answer is that to the last one, or the first refusal.
        """
        fields = request.json
        if not isinstance(fields, dict) or not fields:
            return [request]
        seen = self.faulty.read(request.path, dict(fields))
        if seen == fields:
            return [request]
        if seen.get("model") == ANY_MODEL:
            seen = {**seen, "model": self._subject.model}
        rewritten = replace(request, body=json.dumps(seen).encode())
        return [request, rewritten] if self.faulty.validates else [rewritten]

    def answer(self, exchange: Exchange) -> Exchange:
        """The answer with the fault; the exchange has the request of the client."""
        self._meet(exchange)
        asked = neutral(exchange.request, self.models, self._subject)
        key = self._recogniser.key(asked)
        # The edit of a kind reads the client's request; a change reads it with the suite's model.
        known = replace(exchange, stimulus=key or exchange.stimulus)
        broken = self.faulty.edit(known)
        if self.change is not None:
            broken = self._changed(broken, replace(broken, request=asked), recognised=key is not None)
        if key is not None:
            self._sound.append(known)
            self._recogniser.learn(broken)
        return broken

    def _meet(self, exchange: Exchange) -> None:
        """Learn the models of a server: from its list, else from the first successful answer."""
        if self._has_met or exchange.status != 200:
            return
        model = exchange.request.fields.get("model")
        found = models_in(exchange.body) if exchange.request.path == "/models" else {}
        if found or isinstance(model, str):
            self.serve(found or {str(model): None})
            self._has_met = True

    def _changed(self, exchange: Exchange, asked: Exchange, *, recognised: bool) -> Exchange:
        assert self.change is not None
        if recognised:
            return applied(self.change, exchange, self._sound)
        for key in self._recogniser.near(asked):
            broken = applied(self.change, replace(exchange, stimulus=key), self._sound)
            if broken.stimulus != key or _is_same(broken, exchange):
                continue
            failed = _is_failed(broken, exchange)
            if self._recogniser.asks_all(asked.request, key, exactly=failed):
                return broken
        return exchange


def models_in(body: bytes) -> dict[str, str | None]:
    """The ids in a list of models, with their types if known; none if the body is not such a list."""
    try:
        return {model["id"]: model.get("type") for model in json.loads(body)["data"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def applied(change: Change, exchange: Exchange, before: Iterable[Exchange] = ()) -> Exchange:
    """The answer with the change applied, possibly built from earlier answers; unchanged if its edits do not apply."""
    try:
        return _through(change, exchange, before)
    except UNFIT:
        return exchange


def _through(change: Change, exchange: Exchange, before: Iterable[Exchange]) -> Exchange:
    if isinstance(change, Changed):
        return change.of(exchange)
    if isinstance(change, Both):
        for part in change.changes:
            exchange = _through(part, exchange, before)
        return exchange
    # The change builds the answer from an earlier one.
    earlier = {one.stimulus: one for one in before} | {exchange.stimulus: exchange}
    changed = change(Record(Target(""), "", tuple(earlier.values()), {}))
    return next(one for one in changed.exchanges if one.stimulus == exchange.stimulus)


def _is_failed(broken: Exchange, sound: Exchange) -> bool:
    """Whether the fault makes a request fail or be refused."""
    return broken.failure is not None or (broken.status or 0) >= 400 > (sound.status or 0)


def _is_same(one: Exchange, other: Exchange) -> bool:
    def seen(exchange: Exchange) -> tuple[object, ...]:
        return exchange.status, exchange.headers, exchange.body, exchange.failure, exchange.chunks

    return seen(one) == seen(other)
