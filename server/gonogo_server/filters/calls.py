"""Separates tool calls from content in text that arrives in pieces. No I/O.

Text that may still become a marker is held back until that is certain. Calls in the JSON form are emitted while they
are generated, other calls once they are complete. Text that looked like a call but is none is emitted as content,
unchanged. Nothing is lost except blanks around calls, and no part of a call is content.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from gonogo_server.filters.stop import overlap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo_server.filters.markup import Markup
    from gonogo_server.tools.offer import Offer


@dataclass(frozen=True, slots=True)
class Content:
    """Text that belongs to no call; never empty. `at` is its character offset in the whole text."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """The start of a call: its `number` in the message, from 0, a unique id, and the function's name."""

    number: int
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Arguments:
    """The next part of the JSON text of a call's arguments; never empty."""

    number: int
    text: str


Event = Content | Call | Arguments


class State(Enum):
    """The filter's position in the text."""

    TEXT = auto()
    HEAD = auto()
    ARGUMENTS = auto()
    TAIL = auto()
    WHOLE = auto()
    CLOSED = auto()


class Seen(Enum):
    """What was found in the text, or found to be missing."""

    JSON_START = auto()
    OTHER_START = auto()
    NAME = auto()
    NO_CALL = auto()
    VALUE = auto()
    END = auto()
    LAST_END = auto()


TRANSITIONS: Final[Mapping[tuple[State, Seen], State]] = {
    (State.TEXT, Seen.JSON_START): State.HEAD,
    (State.TEXT, Seen.OTHER_START): State.WHOLE,
    (State.HEAD, Seen.NAME): State.ARGUMENTS,
    (State.HEAD, Seen.NO_CALL): State.TEXT,
    (State.ARGUMENTS, Seen.VALUE): State.TAIL,
    (State.TAIL, Seen.END): State.TEXT,
    (State.TAIL, Seen.LAST_END): State.CLOSED,
    (State.WHOLE, Seen.END): State.TEXT,
    (State.WHOLE, Seen.LAST_END): State.CLOSED,
    (State.WHOLE, Seen.NO_CALL): State.TEXT,
}
"""All valid moves."""

_HEAD: Final = re.compile(
    r'\s*\{\s{0,9}"name"\s{0,9}:\s{0,9}"([A-Za-z0-9_-]{1,64})"\s{0,9},\s{0,9}"arguments"\s{0,9}:\s{0,9}(?=\{)'
)
_HEAD_LENGTH: Final = 160
"""Characters, without leading blanks, after which a text without a complete head cannot be a call."""


class ToolFilter:
    """Reads one answer. `closed` is True once no further call may come; the engine may then stop."""

    def __init__(self, marks: Markup, offer: Offer, new_id: Callable[[], str] | None = None) -> None:
        self._marks = marks
        self._offer = offer
        self._names = {function.name for function in offer.functions}
        self._new_id = new_id or call_id
        self._state = State.TEXT
        self._held = ""
        self._read = 0  # characters received, including those held back
        self._blank: str | None = ""  # blanks that may be a gap beside a call; None inside text
        self._value = _Value()
        self._ending = re.compile(r"\s*\}\s*" + re.escape(marks.end))
        self._undecided_ending = "}" + "".join(marks.end.split())
        self.calls = 0
        """The number of calls so far."""
        self._readers: Mapping[State, Callable[[], tuple[list[Event], Seen | None]]] = {
            State.TEXT: self._text,
            State.HEAD: self._head,
            State.ARGUMENTS: self._arguments,
            State.TAIL: self._tail,
            State.WHOLE: self._whole,
            State.CLOSED: self._rest,
        }

    @property
    def closed(self) -> bool:
        """True once the last allowed call is complete."""
        return self._state is State.CLOSED

    def feed(self, text: str) -> list[Event]:
        """The events that are certain after `text`."""
        self._held += text
        self._read += len(text)
        events: list[Event] = []
        seen: Seen | None = Seen.END
        while seen is not None:
            found, seen = self._readers[self._state]()
            events += found
            if seen is not None:
                self._state = TRANSITIONS[self._state, seen]
        return events

    def flush(self) -> list[Event]:
        """The events of the text held back, at the end of the text; a call may lack its end marker."""
        match self._state:
            case State.WHOLE:
                return self._parsed(self._held) or self._no_call(self._held)
            case State.HEAD:
                return self._no_call(self._held)
            case State.TEXT:
                return self._content(self._held) or self._remaining_blank()
            case _:
                return []

    def _text(self) -> tuple[list[Event], Seen | None]:
        before, start, after = self._held.partition(self._marks.start)
        if start:
            content = self._content(before)
            self._held = after
            return content, Seen.JSON_START if self._marks.parse is None else Seen.OTHER_START
        undecided = len(self._held) - overlap(self._held, self._marks.start)
        content = self._content(self._held[:undecided])
        self._held = self._held[undecided:]
        return content, None

    def _head(self) -> tuple[list[Event], Seen | None]:
        if (found := _HEAD.match(self._held)) and found[1] in self._names:
            self._held = self._held[found.end() :]
            self._value = _Value()
            return [self._begin(found[1])], Seen.NAME
        beginning = self._held.lstrip()
        if found or len(beginning) > _HEAD_LENGTH or beginning[:1] not in ("", "{"):
            return self._no_call(""), Seen.NO_CALL
        return [], None

    def _arguments(self) -> tuple[list[Event], Seen | None]:
        end = self._value.end_in(self._held)
        size = len(self._held) if end is None else end
        fragment, self._held = self._held[:size], self._held[size:]
        events: list[Event] = [Arguments(self.calls - 1, fragment)] if fragment else []
        return events, None if end is None else Seen.VALUE

    def _tail(self) -> tuple[list[Event], Seen | None]:
        """After the arguments: a brace and the end marker, perhaps with blanks. Anything else ends the call, too."""
        if found := self._ending.match(self._held):
            self._held = self._held[found.end() :]
        elif self._undecided_ending.startswith("".join(self._held.split())):
            return [], None
        else:
            self._held = self._held.lstrip().removeprefix("}")
        return [], self._ended()

    def _whole(self) -> tuple[list[Event], Seen | None]:
        body, end, after = self._held.partition(self._marks.end) if self._marks.end else (self._held, "", "")
        if not end:
            return [], None
        if calls := self._parsed(body):
            self._held = after
            return calls, self._ended()
        content = self._no_call(body + end)
        self._held = after
        return content, Seen.NO_CALL

    def _rest(self) -> tuple[list[Event], Seen | None]:
        self._held = ""
        return [], None

    def _parsed(self, body: str) -> list[Event]:
        """The calls between two markers; none if any of them names a function that was not offered."""
        assert self._marks.parse is not None, "the JSON form is read as it comes"
        try:
            parsed = self._marks.parse(body, self._offer.tools)
            calls = [_named(call) for call in (parsed if isinstance(parsed, list) else [parsed])]
        except Exception:  # noqa: BLE001 - mlx_lm's parsers raise any exception on text that they cannot read
            return []
        if not all(name in self._names for name, _ in calls):
            return []
        events: list[Event] = []
        for name, arguments in calls[: self._offer.most - self.calls]:
            events += [self._begin(name), Arguments(self.calls - 1, arguments)]
        return events

    def _begin(self, name: str) -> Call:
        self.calls += 1
        self._blank = ""
        return Call(self.calls - 1, self._new_id(), name)

    def _ended(self) -> Seen:
        return Seen.LAST_END if self.calls >= self._offer.most else Seen.END

    def _no_call(self, text: str) -> list[Event]:
        return self._content(self._marks.start + text, -len(self._marks.start))

    def _content(self, text: str, offset: int = 0) -> list[Event]:
        """The text as content; it begins where the held text begins, plus `offset` characters.

        Blanks beside a call are not content; they wait until text follows.
        """
        at = self._read - len(self._held) + offset
        if self._blank is not None:
            at -= len(self._blank)
            text = self._blank + text
            if not text.strip():
                self._blank = text
                return []
            self._blank = None
        return [Content(text, at)] if text and not self._offer.forced else []

    def _remaining_blank(self) -> list[Event]:
        """The blanks of an answer that has neither calls nor other text."""
        only_blank = self._blank and not self.calls and not self._offer.forced
        return [Content(self._blank or "", self._read - len(self._blank or ""))] if only_blank else []


class _Value:
    """Finds the end of a JSON object or array that arrives in pieces."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def end_in(self, text: str) -> int | None:
        """The end of the value in the next piece; None if it is not in this piece."""
        for index, character in enumerate(text):
            if self._escaped:
                self._escaped = False
            elif self._in_string:
                self._escaped = character == "\\"
                self._in_string = character != '"'
            elif character == '"':
                self._in_string = True
            elif character in "{[":
                self._depth += 1
            elif character in "}]":
                self._depth -= 1
                if self._depth == 0:
                    return index + 1
        return None


def call_id() -> str:
    """A unique id for a call."""
    return f"call_{uuid4().hex[:24]}"


def _named(call: Mapping[str, Any]) -> tuple[str, str]:
    arguments = call["arguments"]
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return str(call["name"]), text
