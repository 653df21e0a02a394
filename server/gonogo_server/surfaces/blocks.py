"""An answer as consecutive blocks: reasoning, text, and each tool call. No I/O.

Both surfaces show an answer so, where chat has one message with three fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from gonogo_server.answers.stream import Calling, Counted, Finished, OutOfOrder, Reasoned, Started, Text
from gonogo_server.filters.calls import Call

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gonogo_server.answers.align import Placed
    from gonogo_server.answers.stream import Reason, Step


class Kind(Enum):
    """What a block holds."""

    REASONING = auto()
    TEXT = auto()
    REFUSAL = auto()
    CALL = auto()


@dataclass(frozen=True, slots=True)
class Opened:
    """A block begins; `call` is there for one of a call."""

    kind: Kind
    call: Call | None = None


@dataclass(frozen=True, slots=True)
class Grown:
    """More of the open block; text, reasoning, or arguments as JSON."""

    text: str
    tokens: tuple[Placed, ...] = ()


@dataclass(frozen=True, slots=True)
class Closed:
    """The open block is over; `cut`: at a limit, or by a filter."""

    cut: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer is over, for this reason; `stop` is the stop string that ended it."""

    reason: Reason
    stop: str | None = None


Event = Opened | Grown | Closed | Ended | Counted


class State(Enum):
    """How far an answer is, and which block is open."""

    WAITING = auto()
    BETWEEN = auto()
    REASONING = auto()
    TEXT = auto()
    REFUSAL = auto()
    CALL = auto()
    ENDED = auto()
    COUNTED = auto()


class Arrival(Enum):
    """The kinds of steps; what does not belong to the open block opens its own."""

    STARTED = auto()
    REASONED = auto()
    TEXT = auto()
    REFUSED = auto()
    CALL = auto()
    ARGUMENTS = auto()
    FINISHED = auto()
    COUNTED = auto()


ARRIVALS: Final[Mapping[type, Arrival]] = {
    Started: Arrival.STARTED,
    Reasoned: Arrival.REASONED,
    Finished: Arrival.FINISHED,
    Counted: Arrival.COUNTED,
}
"""Of the steps that are told apart by their type alone."""

TRANSITIONS: Final[Mapping[tuple[State, Arrival], State]] = {
    (State.WAITING, Arrival.STARTED): State.BETWEEN,
    **{
        (state, arrival): after
        for arrival, after in (
            (Arrival.REASONED, State.REASONING),
            (Arrival.TEXT, State.TEXT),
            (Arrival.REFUSED, State.REFUSAL),
            (Arrival.CALL, State.CALL),
            (Arrival.FINISHED, State.ENDED),
        )
        for state in (State.BETWEEN, State.REASONING, State.TEXT, State.REFUSAL, State.CALL)
    },
    (State.CALL, Arrival.ARGUMENTS): State.CALL,
    (State.ENDED, Arrival.COUNTED): State.COUNTED,
}
"""Every move there is. Any other is a fault of what makes the steps."""

CUT: Final[frozenset[Reason]] = frozenset({"length", "content_filter"})
"""The reasons of answers that are not whole."""

OPEN: Final[Mapping[State, Kind]] = {
    State.REASONING: Kind.REASONING,
    State.TEXT: Kind.TEXT,
    State.REFUSAL: Kind.REFUSAL,
    State.CALL: Kind.CALL,
}


class Blocks:
    """Takes the steps of a request with one answer, and gives the events of its blocks."""

    def __init__(self) -> None:
        self._state = State.WAITING

    def take(self, steps: Iterable[Step]) -> list[Event]:
        """The events of these steps. Raises `OutOfOrder` for a step that cannot come now."""
        return [event for step in steps for event in self._one(step)]

    def _one(self, step: Step) -> list[Event]:
        before, after = self._state, self._move(_arrival(step))
        begins = isinstance(step, Calling) and isinstance(step.part, Call)
        if before is after and not begins:
            return [_grown(step)]
        events: list[Event] = []
        if before in OPEN:
            events.append(Closed(cut=isinstance(step, Finished) and step.reason in CUT))
        match step:
            case Finished():
                events.append(Ended(step.reason, step.stop))
            case Counted():
                events.append(step)
            case Calling(part=Call() as call):
                events.append(Opened(Kind.CALL, call))
            case Text() | Reasoned():
                events += [Opened(OPEN[after]), _grown(step)]
        return events

    def _move(self, arrival: Arrival) -> State:
        state = TRANSITIONS.get((self._state, arrival))
        if state is None:
            raise OutOfOrder(f"The answer had {arrival.name} while it was {self._state.name}; ask again.")
        self._state = state
        return state


def _grown(step: Step) -> Grown:
    match step:
        case Text(text=text, tokens=tokens):
            return Grown(text, tokens)
        case Reasoned(text=text):
            return Grown(text)
        case Calling(part=part) if not isinstance(part, Call):
            return Grown(part.text)
    raise AssertionError("nothing else goes on")


def _arrival(step: Step) -> Arrival:
    if isinstance(step, Calling):
        return Arrival.CALL if isinstance(step.part, Call) else Arrival.ARGUMENTS
    if isinstance(step, Text):
        return Arrival.REFUSED if step.refused else Arrival.TEXT
    return ARRIVALS[type(step)]
