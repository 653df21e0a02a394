"""Streams whose events have names: what each event is, and what a state machine of the surface finds in their order.

The surfaces other than chat stream named events, each a JSON object with its name as `type`. What may follow what is a
state machine of each surface (`judge.responses`, `judge.messages`), which reports `Slip`s; a rule owns one kind of
them. The machine goes on after a slip as if it had not happened, so that one mistake is one slip.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.once import once
from gonogo.judge.outcome import undecided
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange
    from gonogo.judge.reading import Object

UNNAMED = "message"
"""How the standard calls an event without a name."""


@dataclass(frozen=True, slots=True)
class Named:
    """One event: its JSON object, its name ("message" where it has none), and where it lies in the body, in bytes."""

    value: Object
    name: str
    offset: int
    end: int

    @property
    def type(self) -> str:
        """What the data says that the event is; "" if it says nothing."""
        found = self.value.get("type")
        return found if isinstance(found, str) else ""


@once
def events(exchange: Exchange) -> tuple[Named, ...]:
    """The events that are JSON objects, in order. Raises Stop if there is none. [DONE] is no event of the surface."""
    found = []
    for event in reading.stream(exchange).events:
        value = reading.object_of(event.data)
        if value is not None:
            found.append(Named(value, event.event, event.offset, event.end))
    if not found:
        raise undecided(Reason.NO_EVENTS, exchange)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Slip:
    """Something in a stream that its state machine does not allow: what was expected, what came, and in which event."""

    expected: str
    found: str
    event: Named


@dataclass(slots=True)
class Course:
    """What a machine says of a whole stream: slips by their kind, and how often each kind was seen kept."""

    slips: dict[str, list[Slip]] = field(default_factory=dict)
    kept: Counter[str] = field(default_factory=Counter)

    def slip(self, kind: str, expected: str, found: str, event: Named) -> None:
        """Keep a slip."""
        self.slips.setdefault(kind, []).append(Slip(expected, found, event))

    def expect(self, kind: str, holds: object, expected: str, found: str, event: Named) -> None:
        """Count one more place where the kind was kept, or keep a slip where it does not hold."""
        if holds:
            self.kept[kind] += 1
        else:
            self.slip(kind, expected, found, event)


@dataclass(frozen=True, slots=True)
class Machine:
    """The state machine of a surface: what reads a stream, and what the kinds of slips are called in a sentence.

    `kinds` has for each kind the noun phrase of what was seen where it is kept. `at_end` are the kinds of what is
    missing at the end, so that a stream which broke off, or failed, tells nothing about them.
    """

    read: Callable[[Exchange], Course]
    kinds: dict[str, str]
    at_end: frozenset[str]


MACHINES: dict[str, Machine] = {}
"""The machine of each surface, by the path of its operation."""
