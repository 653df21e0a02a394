"""Streams with named events: the events, and the interface of the state machines that check their order.

The surfaces other than chat stream named events, each a JSON object with its name as `type`. A state machine for each
surface (`judge.responses`, `judge.messages`) checks the order and reports `Slip`s; each rule checks one kind of them.
After a slip the machine continues as if it had not happened, so that one mistake is one slip.
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
"""The standard's name for an event without a name."""


@dataclass(frozen=True, slots=True)
class Named:
    """One event: its JSON object, its name ("message" if it has none), and its byte offsets in the body."""

    value: Object
    name: str
    offset: int
    end: int

    @property
    def type(self) -> str:
        """The type in the data of the event; "" if it has none."""
        found = self.value.get("type")
        return found if isinstance(found, str) else ""


@once
def events(exchange: Exchange) -> tuple[Named, ...]:
    """The events that are JSON objects, in order. Raises Stop if there is none. [DONE] does not count."""
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
    """A violation of the state machine: the expected, the actual, and the event."""

    expected: str
    found: str
    event: Named


@dataclass(slots=True)
class Course:
    """The result for a whole stream: slips by kind, and how often each kind was kept."""

    slips: dict[str, list[Slip]] = field(default_factory=dict)
    kept: Counter[str] = field(default_factory=Counter)

    def slip(self, kind: str, expected: str, found: str, event: Named) -> None:
        """Add a slip."""
        self.slips.setdefault(kind, []).append(Slip(expected, found, event))

    def expect(self, kind: str, holds: object, expected: str, found: str, event: Named) -> None:
        """Count one correct occurrence of the kind, or add a slip."""
        if holds:
            self.kept[kind] += 1
        else:
            self.slip(kind, expected, found, event)


@dataclass(frozen=True, slots=True)
class Machine:
    """The state machine of a surface: `read` runs it on a stream.

    `kinds` maps each kind of slip to a noun phrase for its correct occurrences. `at_end` are the kinds that are only
    decided at the end: a stream that was cut off or failed proves nothing about them.
    """

    read: Callable[[Exchange], Course]
    kinds: dict[str, str]
    at_end: frozenset[str]


MACHINES: dict[str, Machine] = {}
"""The machine of each surface, by the path of its operation."""
