"""Turns an engine's pieces into the steps of an answer, in the order that clients rely on. No I/O.

An answer is one `Started`, then its `Text`s, then one `Finished`. A request may have several answers, which differ in
`index`, and ends with one `Counted`. Both wire forms are made of the same steps: a stream sends them one by one, a
whole response is their fold.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto
from statistics import fmean
from typing import TYPE_CHECKING, Final, Literal

from gonogo_server.answers.align import Aligner
from gonogo_server.errors import ServerError
from gonogo_server.filters.calls import Arguments, Call
from gonogo_server.filters.reader import Reader, Shown
from gonogo_server.filters.reasoning import ReasoningText

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gonogo_server.answers.align import Placed
    from gonogo_server.engine.base import FinishReason, Piece
    from gonogo_server.filters.calls import ToolFilter
    from gonogo_server.filters.reasoning import ReasoningFilter

    Reason = FinishReason | Literal["tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class Started:
    """The first step of an answer, before any text."""

    index: int


@dataclass(frozen=True, slots=True)
class Text:
    """The next text of an answer, and its tokens if log probabilities were requested.

    Only the echo of a prompt that consists of special tokens can have an empty text.
    """

    index: int
    text: str
    tokens: tuple[Placed, ...] = ()
    refused: bool = False
    """Whether the text is a refusal; only an upstream reports that."""


@dataclass(frozen=True, slots=True)
class Reasoned:
    """The next text of an answer's reasoning; never empty.

    Its tokens have no log probabilities: those are of the "message content tokens" (schema, choices.logprobs.content).
    """

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Calling:
    """The start or the continuation of a tool call of an answer."""

    index: int
    part: Call | Arguments


@dataclass(frozen=True, slots=True)
class Finished:
    """The last step of an answer: "stop" at the model's own end or a stop string, "length" at a limit.

    "tool_calls" if the model ended by itself after calling tools; "content_filter" comes from upstreams only.
    """

    index: int
    reason: Reason
    tokens: tuple[Placed, ...] = ()
    """Tokens that have no text to be sent with, such as those of a character cut off at the limit."""
    mean_logprob: float | None = None
    """The mean over all generated tokens except end tokens; None if unknown, or if there are none."""
    stop: str | None = field(default=None, compare=False)
    """The stop string that ended the answer; None if none did."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The last step of a request: the tokens of all its answers; `cached_tokens` are part of the prompt's."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int | None = None
    """Completion tokens up to the end of the reasoning; None for models that do not reason."""
    known: bool = True
    """False if the upstream does not count tokens; the numbers are then 0."""


Step = Started | Text | Reasoned | Calling | Finished | Counted


class State(Enum):
    """The state of an answer."""

    WAITING = auto()
    SPEAKING = auto()
    FINISHED = auto()


class Arrival(Enum):
    """An event from the engine: a piece that others follow, the last piece, or the end of the pieces.

    For an answer of no tokens, the engine is not called.
    """

    PIECE = auto()
    LAST_PIECE = auto()
    END = auto()
    NOT_ASKED = auto()


TRANSITIONS: Final[Mapping[tuple[State, Arrival], State]] = {
    (State.WAITING, Arrival.PIECE): State.SPEAKING,
    (State.WAITING, Arrival.LAST_PIECE): State.FINISHED,
    (State.WAITING, Arrival.NOT_ASKED): State.FINISHED,
    (State.SPEAKING, Arrival.PIECE): State.SPEAKING,
    (State.SPEAKING, Arrival.LAST_PIECE): State.FINISHED,
    (State.FINISHED, Arrival.END): State.FINISHED,
}
"""All valid moves. Any other is an error of the engine: an end without a reason, or a piece after the end."""


class OutOfOrder(ServerError):  # noqa: N818 - it says what happened
    """The engine broke the order of an answer."""


@dataclass(frozen=True, slots=True)
class Echo:
    """A prompt returned before the answer: its text, and its tokens if they were requested."""

    text: str
    tokens: tuple[Placed, ...] = ()


class Answer:
    """One answer: takes pieces, returns steps, cuts at the first of `stops`; the echo is never cut.

    `tools` separates calls from the text; `calls_end_in` is then the finish reason. `reasoning` separates the reasoning
    before the text.
    """

    def __init__(
        self,
        index: int = 0,
        stops: Sequence[str] = (),
        echo: Echo | None = None,
        tools: ToolFilter | None = None,
        calls_end_in: Reason = "tool_calls",
        reasoning: ReasoningFilter | None = None,
    ) -> None:
        self._index = index
        self._echo = echo
        self._reader = Reader(stops, tools, reasoning)
        self._calls_end_in = calls_end_in
        self._aligner = Aligner(len(echo.text) if echo else 0)
        self._state = State.WAITING
        self._logprobs: list[float] = []
        self.tokens = 0
        """Tokens generated so far, including those of a stop string or an end token."""
        self.reasoning_tokens = 0
        """Tokens of these up to the end of the reasoning, including its markers."""
        self.cached = 0
        """Prompt tokens that came from the prefix cache."""

    @property
    def finished(self) -> bool:
        """True once `Finished` was returned; the engine may then stop."""
        return self._state is State.FINISHED

    @property
    def reasoning(self) -> bool:
        """Whether the next text belongs to the reasoning."""
        return self._reader.reasoning

    def take(self, piece: Piece) -> list[Step]:
        """The steps of this piece, possibly none. Raises `OutOfOrder` after the last piece."""
        reasoning = self._reader.reasoning
        read = self._reader.feed(piece.text)
        reason = "stop" if self._reader.stopped else piece.finish_reason
        opening = self._opening()
        self._move(Arrival.LAST_PIECE if reason else Arrival.PIECE)
        self._count(piece)
        if reason:
            read += self._reader.flush(cut=piece.finish_reason == "length")
        if reasoning or self._reader.reasoning or any(isinstance(part, ReasoningText) for part in read):
            self.reasoning_tokens = self.tokens
        steps = [self._step(part) for part in read]
        if reason:
            steps += self._ending(steps, "stop" if self._reader.stopped else reason)
        return [*opening, *steps]

    def skip(self) -> list[Step]:
        """The steps of an answer of no tokens, generated without the engine. Raises `OutOfOrder` after a piece."""
        opening = self._opening()
        self._move(Arrival.NOT_ASKED)
        return [*opening, Finished(self._index, "length")]

    def end(self) -> None:
        """Record that the engine has no more pieces. Raises `OutOfOrder` if no piece had a finish reason."""
        self._move(Arrival.END)

    def _opening(self) -> list[Step]:
        if self._state is not State.WAITING:
            return []
        if self._echo is None or self._echo == Echo(""):
            return [Started(self._index)]
        return [Started(self._index), Text(self._index, self._echo.text, self._echo.tokens)]

    def _count(self, piece: Piece) -> None:
        self.tokens += piece.tokens
        self.cached = max(self.cached, piece.cached)
        for token in piece.logprobs:
            self._aligner.add(token.chosen.bytes, token)
            self._logprobs.append(token.chosen.logprob)

    def _step(self, part: Shown | ReasoningText | Call | Arguments) -> Step:
        if isinstance(part, ReasoningText):
            return Reasoned(self._index, part.text)
        if not isinstance(part, Shown):
            return Calling(self._index, part)
        if part.skipped:
            self._aligner.skip(part.skipped)
        return Text(self._index, part.text, self._aligner.show(len(part.text)))

    def _ending(self, steps: list[Step], reason: FinishReason) -> list[Step]:
        """The last step. Remaining tokens are added to the text before it, or to the last step if there is none."""
        tokens = self._aligner.show(0) + (self._aligner.cut() if self._reader.cut else self._aligner.rest())
        if tokens and steps and isinstance(text := steps[-1], Text):
            steps[-1], tokens = replace(text, tokens=text.tokens + tokens), ()
        ended = self._calls_end_in if reason == "stop" and self._reader.calls else reason
        return [Finished(self._index, ended, tokens, self._mean_logprob(), self._reader.matched)]

    def _mean_logprob(self) -> float | None:
        return fmean(self._logprobs) if self._logprobs else None

    def _move(self, arrival: Arrival) -> None:
        state = TRANSITIONS.get((self._state, arrival))
        if state is None:
            raise OutOfOrder(
                f"The engine sent {arrival.name} while the answer was {self._state.name}; ask again."
            )
        self._state = state


@dataclass(frozen=True, slots=True)
class Said:
    """One finished answer: its whole text, finish reason, tokens if they were requested, and calls."""

    text: str
    reason: Reason
    tokens: tuple[Placed, ...] = ()
    calls: tuple[tuple[Call, str], ...] = ()
    """Each call with its whole arguments."""
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Whole:
    """A finished request: its answers by index, and the token counts of all."""

    answers: tuple[Said, ...]
    counted: Counted


def fold(steps: Iterable[Step]) -> Whole:
    """The whole response of a stream. Raises `OutOfOrder` if the stream did not end."""
    steps = list(steps)
    if not steps or not isinstance(counted := steps[-1], Counted):
        raise OutOfOrder("The answer was not finished; try again.")
    parts: dict[int, list[Text | Reasoned | Calling | Finished]] = {}
    for step in steps:
        if isinstance(step, Text | Reasoned | Calling | Finished):
            parts.setdefault(step.index, []).append(step)
    return Whole(tuple(_said(parts[index]) for index in sorted(parts)), counted)


def _said(parts: Sequence[Text | Reasoned | Calling | Finished]) -> Said:
    last = parts[-1]
    assert isinstance(last, Finished), "generations are counted once they are finished"
    text = "".join(part.text for part in parts if isinstance(part, Text))
    tokens = tuple(token for part in parts if isinstance(part, Text | Finished) for token in part.tokens)
    calls = _calls([part.part for part in parts if isinstance(part, Calling)])
    reasoning = "".join(part.text for part in parts if isinstance(part, Reasoned))
    return Said(text, last.reason, tokens, calls, reasoning)


def _calls(parts: Sequence[Call | Arguments]) -> tuple[tuple[Call, str], ...]:
    arguments: dict[int, str] = {}
    for part in parts:
        if isinstance(part, Arguments):
            arguments[part.number] = arguments.get(part.number, "") + part.text
    return tuple((part, arguments.get(part.number, "")) for part in parts if isinstance(part, Call))
