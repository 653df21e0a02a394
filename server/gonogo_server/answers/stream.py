"""From an engine's pieces to the steps of an answer, in the order that clients rely on. No I/O.

An answer is one `Started`, then its `Text`s, then one `Finished`; a request may have several answers, told
apart by `index`, and ends with one `Counted`. Both forms on the wire are made of the same steps: a stream
sends them one by one, a whole response is their fold.
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
    """The first of an answer, before any text."""

    index: int


@dataclass(frozen=True, slots=True)
class Text:
    """What an answer says next, and where log probabilities were requested, the tokens of it.

    Only an echo can be without text, of a prompt that is special tokens alone.
    """

    index: int
    text: str
    tokens: tuple[Placed, ...] = ()
    refused: bool = False
    """Whether the text is a refusal, as an upstream reports it."""


@dataclass(frozen=True, slots=True)
class Reasoned:
    """What an answer's reasoning says next; never empty.

    Its tokens have no log probabilities: those are of the "message content tokens" (schema, choices.logprobs.content).
    """

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Calling:
    """A call that an answer makes begins, or continues."""

    index: int
    part: Call | Arguments


@dataclass(frozen=True, slots=True)
class Finished:
    """The last of an answer: "stop" at the model's own end or a stop string, "length" at a limit.

    Where the model came to an end and has called tools, it is "tool_calls"; "content_filter" comes from upstreams only.
    """

    index: int
    reason: Reason
    tokens: tuple[Placed, ...] = ()
    """Those that had no text to come with, as a character that was cut off at the limit."""
    mean_logprob: float | None = None
    """Of all tokens that were generated, end tokens aside; None if it is not known, or there were none."""
    stop: str | None = field(default=None, compare=False)
    """The stop string that ended it; None if none did."""


@dataclass(frozen=True, slots=True)
class Counted:
    """The last of a request: what all its answers took, in tokens; `cached_tokens` are some of the prompt's."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int | None = None
    """Of the completion's, those up to the end of the reasoning; None for models that do not reason."""
    known: bool = True
    """False if the upstream does not count tokens; the numbers are 0 then."""


Step = Started | Text | Reasoned | Calling | Finished | Counted


class State(Enum):
    """How far an answer is."""

    WAITING = auto()
    SPEAKING = auto()
    FINISHED = auto()


class Arrival(Enum):
    """What an engine can hand over: a piece that others follow, the last piece, or its end.

    It is not asked at all for an answer of no tokens.
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
"""Every move there is. Any other is the engine's fault: an end without a reason, or a piece after the end."""


class OutOfOrder(ServerError):  # noqa: N818 - it says what happened
    """The engine broke the order of an answer."""


@dataclass(frozen=True, slots=True)
class Echo:
    """A prompt that is given back before the answer: its text, and its tokens where they were requested."""

    text: str
    tokens: tuple[Placed, ...] = ()


class Answer:
    """One answer: takes pieces, gives steps, cuts at the first of `stops`; what is echoed is never cut.

    `tools` takes calls out of its text, `calls_end_in` is the finish reason then; `reasoning` takes out what comes
    before.
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
        """Tokens generated so far, those of a stop string or an end token included."""
        self.reasoning_tokens = 0
        """Those of them up to the end of the reasoning, its markers included."""
        self.cached = 0
        """Tokens of the prompt that came out of the prefix cache."""

    @property
    def finished(self) -> bool:
        """True once `Finished` was given; the engine need not continue."""
        return self._state is State.FINISHED

    @property
    def reasoning(self) -> bool:
        """Whether what comes next belongs to the reasoning."""
        return self._reader.reasoning

    def take(self, piece: Piece) -> list[Step]:
        """The steps that this piece makes, perhaps none. Raises `OutOfOrder` after the last."""
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
        said = [self._step(part) for part in read]
        if reason:
            said += self._ending(said, "stop" if self._reader.stopped else reason)
        return [*opening, *said]

    def skip(self) -> list[Step]:
        """The steps of an answer of no tokens, for which no engine was asked. Raises `OutOfOrder` after a piece."""
        opening = self._opening()
        self._move(Arrival.NOT_ASKED)
        return [*opening, Finished(self._index, "length")]

    def end(self) -> None:
        """Says that the engine has no more pieces. Raises `OutOfOrder` if it never said why it ended."""
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

    def _ending(self, said: list[Step], reason: FinishReason) -> list[Step]:
        """The last step. What is left of the tokens goes with the text before it, or with it if there is none."""
        tokens = self._aligner.show(0) + (self._aligner.cut() if self._reader.cut else self._aligner.rest())
        if tokens and said and isinstance(text := said[-1], Text):
            said[-1], tokens = replace(text, tokens=text.tokens + tokens), ()
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
    """One finished answer: all its text, why it ended, its tokens where they were requested, and its calls."""

    text: str
    reason: Reason
    tokens: tuple[Placed, ...] = ()
    calls: tuple[tuple[Call, str], ...] = ()
    """Each with the text of all its arguments."""
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Whole:
    """A finished request: its answers by index, and what all took, in tokens."""

    answers: tuple[Said, ...]
    counted: Counted


def fold(steps: Iterable[Step]) -> Whole:
    """Everything a stream said, at once. Raises `OutOfOrder` if it did not come to its end."""
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
