"""Reads an upstream's stream as events, by the standard, and leniently where the meaning is certain.

Deviations that are not visible in the events (line ends, fields, a byte order mark) are noted by the id of their rule,
once per stream.
Source: WHATWG HTML, "Server-sent events".
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gonogo_server.errors import UpstreamError

if TYPE_CHECKING:
    from gonogo_server.repair.base import Noted

DONE: Final = b"[DONE]"
MOST_BYTES: Final = 16 * 1024 * 1024
"""Maximum size of one event, or of a body sent instead of a stream."""

RULES: Final = (
    "stream.bom",
    "stream.complete_events",
    "stream.data_only",
    "stream.fields",
    "stream.line_ends",
    "stream.no_empty_events",
    "stream.one_line",
    "stream.space",
)

_LINE_END: Final = re.compile(rb"\r\n?|\n")  # no others: U+2028 and U+0085 are ordinary characters
_PLAIN: Final = b"data: {"
_KNOWN: Final = (b"event", b"id", b"retry")


@dataclass(slots=True)
class Event:
    """One event with data: its data lines joined by LF, and its name ("" if it has none)."""

    data: bytes
    name: str = ""


class EventReader:
    """Reads bytes in pieces of any size; the result does not depend on the pieces.

    A line without a field name that is a JSON object or [DONE] is an event of its own. If the whole stream is one JSON
    object over several lines, it is one event. Raises UpstreamError if an event has more than `most` bytes.
    """

    def __init__(self, noted: Noted, most: int = MOST_BYTES) -> None:
        self._noted, self._most = noted, most
        self._rest: list[bytes] = []  # of an unfinished line
        self._size = 0  # bytes of the rest and of the open event
        self._data: list[bytes] = []
        self._name = b""
        self._fields = False  # whether the open event has any
        self._after_cr = False  # whether a following LF belongs to the line end
        self._begun = self._any = False  # whether there was a line, and an event
        self._body: list[bytes] | None = None
        self._noted_rules: set[str] = set()

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete."""
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if b"\n" not in data and b"\r" not in data:
            self._keep(data)
            return []
        buffer = b"".join([*self._rest, data]) if self._rest else data
        self._size -= sum(map(len, self._rest))
        self._rest = []
        return self._events(buffer)

    def end(self) -> list[Event]:
        """The complete events in the remaining bytes: the blank line may be missing, but no part of the JSON."""
        events: list[Event] = []
        rest = b"".join(self._rest)
        self._rest = []
        if rest:
            self._line(rest, b"", events)
        if self._body is not None:
            return [Event(b"\n".join(self._body).strip())]
        if self._data:
            data = b"\n".join(self._data)
            if data == DONE or _is_object(data):
                self._note("stream.complete_events")
                events.append(Event(data, _text(self._name)))
        return events

    def _events(self, buffer: bytes) -> list[Event]:
        events: list[Event] = []
        at, size, plain = 0, len(buffer), b"\r" not in buffer
        while at < size:
            if plain and buffer.startswith(_PLAIN, at) and not self._fields and self._body is None:
                # The usual event: one data line and a blank line.
                end = buffer.find(b"\n", at)
                if end > 0 and buffer.startswith(b"\n", end + 1):
                    if end - at > self._most:
                        self._grow(end - at)
                    self._begun = self._any = True
                    events.append(Event(buffer[at + 6 : end]))
                    at = end + 2
                    continue
            found = _LINE_END.search(buffer, at)
            if found is None:
                self._keep(buffer[at:])
                break
            self._line(buffer[at : found.start()], found[0], events)
            at = found.end()
            self._after_cr = found[0] == b"\r" and at == size
        return events

    def _keep(self, data: bytes) -> None:
        if data:
            self._rest.append(data)
            self._grow(len(data))

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._most:
            raise UpstreamError(
                f"An event of the upstream has more than {self._most} bytes: request a shorter answer.",
                code="upstream_event_too_large",
            )

    def _line(self, line: bytes, end: bytes, events: list[Event]) -> None:
        if not self._begun:
            line = self._first(line)
        if self._body is not None:
            self._body.append(line)
            self._grow(len(line) + 1)
            return
        if end.startswith(b"\r"):
            self._note("stream.line_ends")
        if not line:
            self._dispatch(events)
        elif line.startswith((b"{", DONE)):
            self._bare(line, events)
        elif not line.startswith(b":"):
            self._field(line)

    def _first(self, line: bytes) -> bytes:
        """The first line, which may be blank, without a byte order mark."""
        if line.startswith(BOM_UTF8):
            self._note("stream.bom")
            line = line[len(BOM_UTF8) :]
        self._begun = True
        return line

    def _bare(self, line: bytes, events: list[Event]) -> None:
        """Read a line of data that lacks the field name."""
        if line.rstrip() == DONE or _is_object(line):
            self._note("stream.fields")
            self._any = True
            events.append(Event(line.strip()))
        elif not self._any and not self._fields:
            self._body = [line]
            self._grow(len(line) + 1)
        else:
            self._note("stream.fields")

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        self._fields = True
        if name == b"data":
            if value[:1] != b" " and value:
                self._note("stream.space")
            value = value.removeprefix(b" ")
            self._data.append(value)
            self._grow(len(value) + 1)
        elif name in _KNOWN:
            self._note("stream.data_only")
            if name == b"event":
                self._name = value.removeprefix(b" ")
        else:
            self._note("stream.fields")

    def _dispatch(self, events: list[Event]) -> None:
        data = b"\n".join(self._data)
        if data.strip():
            if len(self._data) > 1:
                self._note("stream.one_line")
            self._any = True
            events.append(Event(data, _text(self._name)))
        elif self._fields:
            self._note("stream.no_empty_events")
        self._data, self._name, self._fields, self._size = [], b"", False, 0

    def _note(self, rule: str) -> None:
        if rule not in self._noted_rules:
            self._noted_rules.add(rule)
            self._noted(rule)


def _text(name: bytes) -> str:
    return name.decode(errors="replace")


def _is_object(data: bytes) -> bool:
    """Whether it is complete JSON: one object or several."""
    try:
        rest = data.decode().strip()
        while rest:
            value, end = _DECODER.raw_decode(rest)
            if not isinstance(value, dict):
                return False
            rest = rest[end:].lstrip()
    except (ValueError, RecursionError):
        return False
    return True


_DECODER: Final = json.JSONDecoder()
