"""The order of the events of a streamed message: states as a table. No I/O.

Source: Messages API, Streaming. One block is open at a time, numbered from 0; `message_delta`, of which there may be
several, ends the message, and `message_stop` the stream. `ping` and unknown events may come anywhere before that. An
`error` ends a stream anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MESSAGE_START: Final = "message_start"
BLOCK_START: Final = "content_block_start"
BLOCK_DELTA: Final = "content_block_delta"
BLOCK_STOP: Final = "content_block_stop"
MESSAGE_DELTA: Final = "message_delta"
MESSAGE_STOP: Final = "message_stop"
ERROR: Final = "error"
PING: Final = "ping"
ORDERED: Final = (MESSAGE_START, BLOCK_START, BLOCK_DELTA, BLOCK_STOP, MESSAGE_DELTA, MESSAGE_STOP)
"""The events with a defined position; all others except errors may occur anywhere."""


class State(StrEnum):
    """The state of a stream between two events."""

    BEFORE = "before"  # before message_start
    BETWEEN = "between"  # after message_start, and no block is open
    BLOCK = "block"  # a block is open
    ENDED = "ended"  # after a message_delta
    OVER = "over"  # after message_stop, or an error


class Breach(StrEnum):
    """Violations of the order; each has its own rule."""

    BEGINS_OTHERWISE = "late-start"  # another event precedes message_start
    BEGINS_AGAIN = "second-start"
    NOT_OPEN = "closed-block"  # a delta or stop of a block that has not started or has already stopped
    NOT_NUMBERED = "misnumbered-block"
    LEFT_OPEN = "unstopped-block"  # the next block starts, or the message ends, before this one stopped
    BLOCK_AFTER_END = "late-block"  # content after message_delta
    NOT_ENDED = "missing-message-delta"
    AFTER_STOP = "late-event"  # anything after message_stop or an error
    UNFINISHED = "missing-message-stop"


NEXT: Mapping[State, Mapping[str, State]] = {
    State.BEFORE: {MESSAGE_START: State.BETWEEN},
    State.BETWEEN: {BLOCK_START: State.BLOCK, MESSAGE_DELTA: State.ENDED},
    State.BLOCK: {BLOCK_DELTA: State.BLOCK, BLOCK_STOP: State.BETWEEN},
    State.ENDED: {MESSAGE_DELTA: State.ENDED, MESSAGE_STOP: State.OVER},
    State.OVER: {},
}
"""The allowed events in each state, and the next state."""

MISTAKES: Mapping[State, Mapping[str, tuple[Breach, State | None]]] = {
    State.BEFORE: dict.fromkeys(ORDERED[1:], (Breach.BEGINS_OTHERWISE, State.BETWEEN)),
    State.BETWEEN: {
        MESSAGE_START: (Breach.BEGINS_AGAIN, None),
        BLOCK_DELTA: (Breach.NOT_OPEN, None),
        BLOCK_STOP: (Breach.NOT_OPEN, None),
        MESSAGE_STOP: (Breach.NOT_ENDED, State.ENDED),
    },
    State.BLOCK: {
        MESSAGE_START: (Breach.BEGINS_AGAIN, None),
        BLOCK_START: (Breach.LEFT_OPEN, State.BETWEEN),
        MESSAGE_DELTA: (Breach.LEFT_OPEN, State.BETWEEN),
        MESSAGE_STOP: (Breach.LEFT_OPEN, State.BETWEEN),
    },
    State.ENDED: {
        MESSAGE_START: (Breach.BEGINS_AGAIN, None),
        BLOCK_START: (Breach.BLOCK_AFTER_END, None),
        BLOCK_DELTA: (Breach.BLOCK_AFTER_END, None),
        BLOCK_STOP: (Breach.BLOCK_AFTER_END, None),
    },
}
"""The forbidden events in each state: the breach, and the state in which the event is then processed; None: the state
is unchanged.

After the end of a stream every event is forbidden, including those without a defined position.
"""


@dataclass
class Course:
    """The result for a stream: its state after the last event, and the position of the first event with each breach.

    A missing or negative block number is ignored: another rule checks it.
    """

    state: State = State.BEFORE
    breaches: dict[Breach, int] = field(default_factory=dict)
    _place: int = -1
    _begun: int = 0
    _open: set[int] = field(default_factory=set)

    def take(self, kind: str, index: int | None = None) -> None:
        """Read the next event; `index` is the number of its block, if it has one."""
        self._place += 1
        if self.state is State.OVER:
            self._breach(Breach.AFTER_STOP)
        elif kind == ERROR:
            self.state = State.OVER
        elif kind in ORDERED:
            self._step(kind, index)

    def finish(self) -> None:
        """Process the end of the stream."""
        if self._place >= 0 and self.state is not State.OVER:
            self._breach(Breach.UNFINISHED)

    def _step(self, kind: str, index: int | None) -> None:
        after = NEXT[self.state].get(kind)
        if after is None:
            breach, read_as = MISTAKES[self.state][kind]
            self._breach(breach)
            if read_as is not None:
                self.state = read_as
                self._step(kind, index)
            return
        self.state = after
        if kind in (BLOCK_START, BLOCK_DELTA, BLOCK_STOP):
            self._follow(kind, index)

    def _follow(self, kind: str, index: int | None) -> None:
        """Track the block numbers."""
        known = index if index is not None and index >= 0 else None
        if kind == BLOCK_START:
            if known not in (None, self._begun):
                self._breach(Breach.NOT_NUMBERED)
            self._open.add(self._begun if known is None else known)
            self._begun += 1
            return
        if known is not None and known not in self._open:
            self._breach(Breach.NOT_OPEN)
        elif kind == BLOCK_STOP:
            self._open.discard(max(self._open) if known is None else known)
        if self._open:
            self.state = State.BLOCK

    def _breach(self, breach: Breach) -> None:
        self.breaches.setdefault(breach, self._place)


def follow(events: Iterable[tuple[str, int | None]]) -> Course:
    """The course of these events, each with its type and the number of its block."""
    course = Course()
    for kind, index in events:
        course.take(kind, index)
    course.finish()
    return course
