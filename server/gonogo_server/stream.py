"""From an engine's pieces to the steps of an answer, in the order that clients rely on. No I/O.

An answer is one `Started`, then its `Text`s, then one `Finished`; a request may have several answers, told
apart by `index`, and ends with one `Counted`. Both forms on the wire are made of the same steps: a stream
sends them one by one, a whole response is their fold.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from gonogo_server.errors import ServerError
from gonogo_server.stop import StopFilter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gonogo_server.engine.base import FinishReason, Piece


@dataclass(frozen=True, slots=True)
class Started:
    """The first of an answer, before any text."""

    index: int


@dataclass(frozen=True, slots=True)
class Text:
    """What an answer says next; never empty."""

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The last of an answer: "stop" at the model's own end or a stop string, "length" at a limit."""

    index: int
    reason: FinishReason


@dataclass(frozen=True, slots=True)
class Counted:
    """The last of a request: what all its answers took, in tokens."""

    prompt_tokens: int
    completion_tokens: int


Step = Started | Text | Finished | Counted


class State(Enum):
    """How far an answer is."""

    WAITING = auto()
    SPEAKING = auto()
    FINISHED = auto()


class Arrival(Enum):
    """What an engine can hand over: a piece that others follow, the last piece, or its end."""

    PIECE = auto()
    LAST_PIECE = auto()
    END = auto()


TRANSITIONS: Final[Mapping[tuple[State, Arrival], State]] = {
    (State.WAITING, Arrival.PIECE): State.SPEAKING,
    (State.WAITING, Arrival.LAST_PIECE): State.FINISHED,
    (State.SPEAKING, Arrival.PIECE): State.SPEAKING,
    (State.SPEAKING, Arrival.LAST_PIECE): State.FINISHED,
    (State.FINISHED, Arrival.END): State.FINISHED,
}
"""Every move there is. Any other is the engine's fault: an end without a reason, or a piece after the end."""


class OutOfOrder(ServerError):  # noqa: N818 - it says what happened
    """The engine broke the order of an answer."""


class Answer:
    """One answer: takes pieces, gives steps, cuts at the first of `stops`."""

    def __init__(self, index: int = 0, stops: Sequence[str] = ()) -> None:
        self._index = index
        self._filter = StopFilter(stops)
        self._state = State.WAITING
        self.tokens = 0
        """Tokens generated so far, those of a stop string or an end token included."""

    @property
    def finished(self) -> bool:
        """True once `Finished` was given; the engine need not go on."""
        return self._state is State.FINISHED

    def take(self, piece: Piece) -> list[Step]:
        """The steps that this piece makes, perhaps none. Raises `OutOfOrder` after the last."""
        text = self._filter.feed(piece.text)
        reason = "stop" if self._filter.stopped else piece.finish_reason
        opens = self._state is State.WAITING
        self._move(Arrival.LAST_PIECE if reason else Arrival.PIECE)
        self.tokens += piece.tokens
        if reason:
            text += self._filter.flush()
        return [
            *([Started(self._index)] if opens else []),
            *([Text(self._index, text)] if text else []),
            *([Finished(self._index, reason)] if reason else []),
        ]

    def end(self) -> None:
        """Says that the engine has no more pieces. Raises `OutOfOrder` where it never said why it ended."""
        self._move(Arrival.END)

    def _move(self, arrival: Arrival) -> None:
        state = TRANSITIONS.get((self._state, arrival))
        if state is None:
            raise OutOfOrder(
                f"The engine sent {arrival.name} while the answer was {self._state.name}; ask again."
            )
        self._state = state


@dataclass(frozen=True, slots=True)
class Whole:
    """A finished request: text and finish reason of each answer, by index, and what all took, in tokens."""

    answers: tuple[tuple[str, FinishReason], ...]
    counted: Counted


def fold(steps: Iterable[Step]) -> Whole:
    """Everything a stream said, at once. Raises `OutOfOrder` where it did not come to its end."""
    texts: dict[int, list[str]] = {}
    reasons: dict[int, FinishReason] = {}
    for step in steps:
        match step:
            case Started(index):
                texts[index] = []
            case Text(index, text):
                texts[index].append(text)
            case Finished(index, reason):
                reasons[index] = reason
            case Counted():
                return Whole(tuple(("".join(texts[index]), reasons[index]) for index in sorted(texts)), step)
    raise OutOfOrder("The answer was not finished; ask again.")
