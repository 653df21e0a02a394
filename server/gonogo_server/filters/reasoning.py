"""Separates reasoning from the answer in text that arrives in pieces. No I/O.

A model reasons between two markers, once, before its answer; a marker within the answer is ordinary text. Text that may
still become a marker is held back until that is certain. Nothing is lost except the markers and the blanks beside them,
which models are trained to write.

Source: DeepSeek API documentation, "Reasoning model": `reasoning_content` beside `content`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from gonogo_server.filters.stop import overlap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class ReasoningText:
    """Text of the reasoning; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """Text of the answer; never empty. `at` is its character offset in the whole text."""

    text: str
    at: int


Part = ReasoningText | Answered


class State(Enum):
    """The filter's position in the text."""

    BEFORE = auto()
    REASONING = auto()
    BETWEEN = auto()
    ANSWER = auto()


class Seen(Enum):
    """What was found in the text, or found to be missing."""

    START = auto()
    END = auto()
    TEXT = auto()


TRANSITIONS: Final[Mapping[tuple[State, Seen], State]] = {
    (State.BEFORE, Seen.START): State.REASONING,
    (State.BEFORE, Seen.TEXT): State.ANSWER,
    (State.REASONING, Seen.END): State.BETWEEN,
    (State.BETWEEN, Seen.TEXT): State.ANSWER,
}
"""All valid moves."""


class ReasoningFilter:
    """Reads one answer. `opened`: the prompt ends with `start`, so the text begins inside the reasoning."""

    def __init__(self, start: str, end: str, *, opened: bool = False) -> None:
        self._start = start
        self._end = end
        self._state = State.REASONING if opened else State.BEFORE
        self._held = ""
        self._read = 0  # characters received, including those held back
        self._reasoned = False  # whether any reasoning was emitted
        self._readers: Mapping[State, Callable[[], tuple[list[Part], Seen | None]]] = {
            State.BEFORE: self._before,
            State.REASONING: self._reasoning,
            State.BETWEEN: self._between,
            State.ANSWER: self._answer,
        }

    @property
    def reasoning(self) -> bool:
        """Whether the next character belongs to the reasoning, as far as is known."""
        return self._state is State.REASONING

    @property
    def unanswered(self) -> bool:
        """Whether reasoning has begun and no answer has followed yet."""
        return self._state in (State.REASONING, State.BETWEEN)

    def feed(self, text: str) -> list[Part]:
        """The parts that are certain after `text`."""
        self._held += text
        self._read += len(text)
        parts: list[Part] = []
        seen: Seen | None = Seen.START
        while seen is not None:
            found, seen = self._readers[self._state]()
            parts += found
            if seen is not None:
                self._state = TRANSITIONS[self._state, seen]
        return parts

    def flush(self, *, cut: bool = False) -> list[Part]:
        """The text held back, at the end of the text; `cut`: a limit ended it.

        The beginning of a start marker is then not text of the answer, because it would most likely have become one.
        """
        match self._state:
            case State.BEFORE if cut and self._held.strip():
                self._state = TRANSITIONS[self._state, Seen.START]
                return []
            case State.BEFORE:
                return self._answer()[0]
            case State.REASONING:
                return self._reason(self._held.rstrip())
            case _:
                return []

    def _before(self) -> tuple[list[Part], Seen | None]:
        text = self._held.lstrip()
        if text.startswith(self._start):
            self._held = text.removeprefix(self._start)
            return [], Seen.START
        return [], None if self._start.startswith(text) else Seen.TEXT

    def _reasoning(self) -> tuple[list[Part], Seen | None]:
        before, end, after = self._held.partition(self._end)
        undecided = 0 if end else overlap(self._held, self._end)
        reasoning = before[: len(before) - undecided].rstrip()
        self._held = after if end else before[len(reasoning) :]
        return self._reason(reasoning), Seen.END if end else None

    def _between(self) -> tuple[list[Part], Seen | None]:
        self._held = self._held.lstrip()
        return [], Seen.TEXT if self._held else None

    def _answer(self) -> tuple[list[Part], Seen | None]:
        text, self._held = self._held, ""
        return [Answered(text, self._read - len(text))] if text else [], None

    def _reason(self, text: str) -> list[Part]:
        text = text if self._reasoned else text.lstrip()
        self._reasoned = self._reasoned or bool(text)
        return [ReasoningText(text)] if text else []
