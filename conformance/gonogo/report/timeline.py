"""The timeline of a stream: events by kind, comments, and gaps.

It is the input of the picture, and judges nothing.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from gonogo import sse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonogo.exchange import Exchange, Failure

DONE = "[DONE]"
UNNAMED = "message"
"""The standard's name for an event without a name."""
_LAST = frozenset({"response.completed", "response.incomplete", "message_stop"})
_FAILURES = frozenset({"error", "response.failed"})
_TEXTS = ("content", "reasoning_content", "reasoning", "refusal", "tool_calls", "function_call")


class Kind(StrEnum):
    """The kind of an event or of a part of it: an event with text, a finish reason and usage has all three kinds."""

    TEXT = "text"  # a delta with text, reasoning, or a part of a call
    OTHER = "other"  # a chunk without these, such as the one with the role
    COMMENT = "comment"  # a line that clients ignore, such as a keep-alive
    FINISH = "finish"  # a finish reason
    USAGE = "usage"
    DONE = "done"
    ERROR = "error"  # an object with "error", or an event of that name


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark: its kind, its time in seconds after the request, and the offset of its first byte."""

    kind: Kind
    at: float
    offset: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """The marks of a stream in order, the times at which its body was read, and its end after `end` seconds.

    `named`: its events have names; such a stream has no [DONE].
    """

    marks: tuple[Mark, ...]
    reads: tuple[float, ...]
    end: float
    failure: Failure | None = None
    named: bool = False

    def first(self, kind: Kind) -> Mark | None:
        """The first mark of a kind."""
        return next((mark for mark in self.marks if mark.kind is kind), None)

    def number(self, kind: Kind) -> int:
        """The number of marks of a kind."""
        return sum(mark.kind is kind for mark in self.marks)

    @property
    def longest_gap(self) -> tuple[float, float] | None:
        """The start and end of the longest time without data between two reads; None if there was only one read."""
        gaps = list(pairwise(self.reads))
        return max(gaps, key=lambda gap: gap[1] - gap[0]) if gaps else None

    @property
    def moments(self) -> int:
        """The number of moments at which text arrived."""
        return len({mark.at for mark in self.marks if mark.kind is Kind.TEXT})


def timeline(exchange: Exchange) -> Timeline:
    """The timeline of a streamed answer."""
    ends = list(accumulate(len(chunk.data) for chunk in exchange.chunks))
    times = [chunk.at for chunk in exchange.chunks]

    def arrival(offset: int) -> float:
        return times[min(bisect_right(ends, offset), len(times) - 1)]

    parsed = sse.parse(exchange.body)
    marks = [
        Mark(kind, arrival(event.end - 1), event.offset)
        for event in parsed.events
        for kind in kinds(event.data)
    ]
    comments = parsed.of(sse.AnomalyKind.COMMENT)
    marks += [Mark(Kind.COMMENT, arrival(found.offset), found.offset) for found in comments]
    marks.sort(key=lambda mark: mark.offset)
    end = max([exchange.seconds, *times])
    named = any(event.event != UNNAMED for event in parsed.events)
    return Timeline(tuple(marks), tuple(times), end, exchange.failure, named)


def kinds(data: str) -> tuple[Kind, ...]:
    """The kinds of an event's data; at least one."""
    if data == DONE:
        return (Kind.DONE,)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return (Kind.OTHER,)
    return tuple(_kinds(value)) if isinstance(value, dict) else (Kind.OTHER,)


def _kinds(value: dict[str, Any]) -> Iterator[Kind]:
    named = value.get("type")
    found = _of_named(named, value) if isinstance(named, str) and "choices" not in value else _of_chunk(value)
    yield from (kind for kind, has in found.items() if has)
    if not any(found.values()):
        yield Kind.OTHER


def _of_named(name: str, value: dict[str, Any]) -> dict[Kind, bool]:
    """The kinds of a named event, of a response or a message."""
    inner, delta = value.get("response"), value.get("delta")
    holders = [holder for holder in (value, inner) if isinstance(holder, dict)]
    stops = isinstance(delta, dict) and delta.get("stop_reason") is not None
    return {
        Kind.TEXT: name.endswith(("_text.delta", "refusal.delta", "arguments.delta", "content_block_delta")),
        Kind.FINISH: stops or name in _LAST,
        Kind.USAGE: any(isinstance(holder.get("usage"), dict) for holder in holders),
        Kind.ERROR: name in _FAILURES,
    }


def _of_chunk(value: dict[str, Any]) -> dict[Kind, bool]:
    listed = value.get("choices")
    choices = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    has_text, has_end = any(map(_has_text, choices)), any(map(_has_end, choices))
    has_usage, has_error = isinstance(value.get("usage"), dict), value.get("error") is not None
    return {Kind.TEXT: has_text, Kind.FINISH: has_end, Kind.USAGE: has_usage, Kind.ERROR: has_error}


def _has_text(choice: dict[str, Any]) -> bool:
    delta = choice.get("delta")
    return bool(choice.get("text")) or (isinstance(delta, dict) and any(map(delta.get, _TEXTS)))


def _has_end(choice: dict[str, Any]) -> bool:
    return choice.get("finish_reason") is not None
