"""Stop sequences for an upstream that ignores them, leaks them, or cuts too much.

Text that may begin a sequence is held back until that is certain, and log probabilities with the text of their tokens.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from gonogo_server.filters.stop import StopFilter
from gonogo_server.repair.emulation.texts import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gonogo_server.repair.base import Document, Noted, Requested


class Stop:
    """Ends every choice at the first of `stops`; what follows is dropped.

    The token count is the upstream's, of everything that it generated; if it was requested, the stage waits for it.
    """

    def __init__(self, stops: Sequence[str], requested: Requested, rule: str, noted: Noted) -> None:
        self._stops, self._requested, self._rule, self._noted = tuple(stops), requested, rule, noted
        self._place = Place(requested.operation, "delta")
        self._choices: dict[int, _Choice] = {}

    @property
    def finished(self) -> bool:
        """Whether all choices have ended, at least one at a stop sequence, and no requested usage is missing."""
        states = self._choices.values()
        over = sum(state.over for state in states) >= self._requested.choices
        return over and any(state.stopped for state in states) and not self._requested.include_usage

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk without the text held back, and a separate chunk for the end of a choice."""
        choices = chunk.get("choices")
        if not choices:
            return (chunk,)
        shown: list[Document] = []
        ended: list[Document] = []
        for choice in choices:
            self._one(choice, shown, ended)
        if not ended and len(shown) == len(choices) and all(map(_same, shown, choices)):
            return (chunk,)
        return [{**chunk, "choices": each} for each in (shown, ended) if each]

    def end(self) -> Iterable[Document]:
        """Nothing: a choice releases its held text when it finishes."""
        return ()

    def body(self, body: Document) -> Document:
        """The whole answer, cut at the stop sequences."""
        choices = body.get("choices")
        if not isinstance(choices, list):
            return body
        cut = [self._cut(choice) for choice in choices]
        return body if all(map(_same, cut, choices)) else {**body, "choices": cut}

    def _one(self, choice: Document, shown: list[Document], ended: list[Document]) -> None:
        index = choice.get("index", 0)
        state = self._choices.setdefault(index, _Choice(self._stops, self._place))
        if state.over:  # text after the end of a choice is dropped
            return
        reason = choice.get("finish_reason")
        text, rows = self._place.text(choice), self._place.rows(choice)
        left, kept = state.feed(text, rows, last=reason is not None)
        state.over = state.stopped or reason is not None
        if state.stopped:
            self._noted(self._rule)
            reason = "stop"
        elif (left, kept) == (text, rows):
            shown.append(choice)
            return
        if left or kept or not self._place.bare(choice):
            edited = self._place.with_rows(self._place.with_text(choice, left), kept)
            shown.append({**edited, "finish_reason": None})
        if reason is not None:
            ended.append(self._place.ending(choice, reason))

    def _cut(self, choice: Document) -> Document:
        place = Place(self._requested.operation, "message")
        state = _Choice(self._stops, place)
        left, kept = state.feed(place.text(choice), place.rows(choice), last=True)
        if not state.stopped:
            return choice
        self._noted(self._rule)
        cut = {**place.with_rows(place.with_text(choice, left), kept), "finish_reason": "stop"}
        if isinstance(cut.get("message"), dict):  # tool calls come after the text
            cut["message"] = {name: value for name, value in cut["message"].items() if name != "tool_calls"}
        return cut


class _Choice:
    """The text of one choice so far, and the tokens of the text held back."""

    def __init__(self, stops: Sequence[str], place: Place) -> None:
        self._filter, self._place = StopFilter(stops), place
        self._waiting: deque[tuple[int, Any]] = deque()
        self._shown = self._read = 0
        self.over = False

    @property
    def stopped(self) -> bool:
        return self._filter.stopped

    def feed(self, text: str, rows: Sequence[Any], *, last: bool) -> tuple[str, list[Any]]:
        """The visible part of the text, and the rows of its tokens."""
        left = self._filter.feed(text)
        if last and not self.stopped:
            left += self._filter.flush()
        self._shown += len(left.encode("utf-8", "surrogatepass"))
        for row in rows:
            self._read += self._place.size(row)
            self._waiting.append((self._read, row))
        return left, list(self._released(everything=not self._filter.undecided and not self.stopped))

    def _released(self, *, everything: bool) -> Iterable[Any]:
        while self._waiting and (everything or self._waiting[0][0] <= self._shown):
            yield self._waiting.popleft()[1]


def _same(one: object, other: object) -> bool:
    return one is other
