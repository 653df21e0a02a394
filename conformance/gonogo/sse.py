"""A strict reader of the event stream format, for recorded bytes: it dispatches what the standard dispatches and
reports, with byte offsets, everything that a less tolerant reader may fail on. An anomaly is an observation, not an
error: many are legal. The rules decide which of them are violations. Source of every behaviour: WHATWG HTML Living
Standard, sections 9.2.5 (parsing) and 9.2.6 (interpreting an event stream). No I/O.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEPT_PER_KIND = 100
"""The most anomalies of one kind that are kept with their position; more are only counted, to limit memory."""

EXCERPT = 200
"""The most characters of the stream that an anomaly quotes."""

_LINE_END = re.compile(rb"\r\n?|\n")  # and no others: U+2028, U+0085, form feed are ordinary characters
_BOM = b"\xef\xbb\xbf"
_MOST_RETRY_DIGITS = 18  # 10^18 ms is beyond every clock, and int() rejects strings of 4,301 digits


class AnomalyKind(StrEnum):
    """The deviations of a stream from the plain form: `data: …`, blank line, UTF-8, LF."""

    INCOMPLETE_EVENT = "incomplete-event"  # the stream ends inside an event: it is never dispatched
    NO_DATA_EVENT = "no-data-event"  # fields but no data: not dispatched; some clients dispatch it and crash
    EXTRA_BLANK_LINE = "extra-blank-line"  # a blank line that ends nothing
    CRLF = "crlf"  # a line ends in CR LF: legal
    CR = "cr"  # a line ends in CR alone: legal
    BOM = "bom"  # a byte order mark starts the stream: legal, and skipped
    INVALID_UTF8 = "invalid-utf-8"  # bytes that are not UTF-8 become U+FFFD
    NO_SPACE = "no-space"  # "data:x" for "data: x": legal
    FIELD_WITHOUT_COLON = "field-without-colon"  # the whole line is the name, the value is empty
    UNKNOWN_FIELD = "unknown-field"  # a name the standard does not know: ignored
    EVENT_NAME = "event-name"  # an "event" field: legal, but chat and completion streams are data-only
    ID_FIELD = "id-field"  # an "id" field: legal, as above
    NUL_IN_ID = "nul-in-id"  # an "id" with U+0000: ignored
    RETRY_FIELD = "retry-field"  # a "retry" field: legal
    BAD_RETRY = "bad-retry"  # a "retry" that is not all digits: ignored
    MULTI_LINE_DATA = "multi-line-data"  # an event with several "data" lines: legal, joined by LF
    COMMENT = "comment"  # a line that begins with a colon: legal, ignored; `text` is what follows the colon


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One observation: its `offset` in bytes, a sentence, and up to 200 characters of the stream from there."""

    kind: AnomalyKind
    offset: int
    message: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event.

    `event` is "message" if no name was given. `id` is the last event id so far, from this event or an earlier one (""
    if there was none). `retry` is the reconnection time in milliseconds that it sets. `offset` is the byte offset of
    its first field line, `end` the offset just past its blank line; `data_lines` counts its data lines; `fields` holds
    the field names in their order.
    """

    data: str
    event: str = "message"
    id: str = ""
    retry: int | None = None
    offset: int = 0
    end: int = 0
    data_lines: int = 1
    fields: tuple[str, ...] = ("data",)


@dataclass(frozen=True, slots=True)
class EventStream:
    """The content of a stream: its events in order, and its anomalies ordered by offset.

    `counts` counts every anomaly; `anomalies` keeps the first 100 of each kind.
    """

    events: tuple[Event, ...]
    anomalies: tuple[Anomaly, ...]
    counts: Mapping[AnomalyKind, int]

    def of(self, *kinds: AnomalyKind) -> tuple[Anomaly, ...]:
        """Return the kept anomalies of these kinds, ordered by offset."""
        return tuple(anomaly for anomaly in self.anomalies if anomaly.kind in kinds)

    @property
    def comments(self) -> tuple[str, ...]:
        """The text after the colon of each comment (of the first 100)."""
        return tuple(anomaly.text for anomaly in self.of(AnomalyKind.COMMENT))


def parse(data: bytes) -> EventStream:
    """Parse a whole stream. Never raises: every sequence of bytes is an event stream."""
    decoder = Decoder()
    decoder.feed(data)
    return decoder.finish()


@dataclass(slots=True)
class _Block:
    """The fields between two blank lines."""

    offset: int = 0
    data: list[str] = field(default_factory=list)
    event: str = ""
    retry: int | None = None
    fields: list[str] = field(default_factory=list)
    comments: int = 0


class Decoder:
    """The incremental form of `parse`: feed it pieces of any size, then finish it once."""

    def __init__(self) -> None:
        self._buffer = bytearray()  # the incomplete line
        self._offset = 0  # the offset of the buffer in the stream
        self._searched = 0  # bytes of the buffer that are known to have no line end
        self._last_id = ""
        self._block = _Block()
        self._events: list[Event] = []
        self._anomalies: list[Anomaly] = []
        self._orders: dict[tuple[str, ...], tuple[str, ...]] = {}  # equal events share one tuple
        self._counts: Counter[AnomalyKind] = Counter()

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self._buffer += data
        self._take_lines(final=False)

    def finish(self) -> EventStream:
        """End the stream, and return the result; a pending event is discarded, as the standard requires."""
        self._take_lines(final=True)
        self._end_of_stream()
        anomalies = sorted(self._anomalies, key=lambda anomaly: anomaly.offset)
        return EventStream(tuple(self._events), tuple(anomalies), dict(self._counts))

    def _take_lines(self, *, final: bool) -> None:
        start = 0
        while match := _LINE_END.search(self._buffer, max(start, self._searched)):
            if match[0] == b"\r" and match.end() == len(self._buffer) and not final:
                break  # an LF that belongs to it may follow
            self._line(bytes(self._buffer[start : match.start()]), self._offset + start, match[0])
            start = match.end()
        del self._buffer[:start]
        self._offset += start
        self._searched = len(self._buffer) - self._buffer.endswith(b"\r")

    def _line(self, line: bytes, offset: int, end: bytes) -> None:
        after = offset + len(line) + len(end)
        if end != b"\n":
            self._report_line_end(end, offset + len(line))
        line, offset = self._skip_bom(line, offset)
        text = self._decode(line, offset)
        if not text:
            self._dispatch(offset, after)
        elif text.startswith(":"):
            self._block.comments += 1
            self._report(AnomalyKind.COMMENT, offset, "The line is a comment.", text[1:])
        else:
            self._field(text, offset)

    def _skip_bom(self, line: bytes, offset: int) -> tuple[bytes, int]:
        if offset or not line.startswith(_BOM):
            return line, offset
        self._report(AnomalyKind.BOM, 0, "The stream begins with a byte order mark.")
        return line[len(_BOM) :], len(_BOM)

    def _decode(self, line: bytes, offset: int) -> str:
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            what = f"The bytes {line[error.start : error.end].hex(' ')} are not UTF-8."
            self._report(AnomalyKind.INVALID_UTF8, offset + error.start, what, _text(line))
            return line.decode(errors="replace")

    def _field(self, line: str, offset: int) -> None:
        name, colon, value = line.partition(":")
        name = sys.intern(name) if name in _FIELDS else name  # "data" once for any number of lines
        if not self._block.fields:
            self._block.offset = offset
        self._block.fields.append(name)
        if not colon:
            what = "The line has no colon: all of it is the field's name."
            self._report(AnomalyKind.FIELD_WITHOUT_COLON, offset, what, line)
        elif value and not value.startswith(" "):
            self._report(AnomalyKind.NO_SPACE, offset, f'No space follows "{name[:EXCERPT]}:".', line)
        _FIELDS.get(name, Decoder._unknown)(self, value.removeprefix(" "), offset)

    def _data(self, value: str, _offset: int) -> None:
        self._block.data.append(value)

    def _event(self, value: str, offset: int) -> None:
        self._block.event = value
        self._report(AnomalyKind.EVENT_NAME, offset, "The event has a name.", value)

    def _id(self, value: str, offset: int) -> None:
        self._report(AnomalyKind.ID_FIELD, offset, "The event has an id.", value)
        if "\0" in value:
            self._report(AnomalyKind.NUL_IN_ID, offset, "The id holds U+0000 and is ignored.", value)
        else:
            self._last_id = value

    def _retry(self, value: str, offset: int) -> None:
        self._report(AnomalyKind.RETRY_FIELD, offset, "A reconnection time is set.", value)
        if value.isascii() and value.isdigit() and len(value) <= _MOST_RETRY_DIGITS:
            self._block.retry = int(value)
        else:
            what = "The reconnection time is not a whole number of milliseconds and is ignored."
            self._report(AnomalyKind.BAD_RETRY, offset, what, value)

    def _unknown(self, _value: str, offset: int) -> None:
        name = self._block.fields[-1]
        what = "The field is none that the standard knows and is ignored."
        self._report(AnomalyKind.UNKNOWN_FIELD, offset, what, name)

    def _dispatch(self, blank: int, end: int) -> None:
        block, self._block = self._block, _Block()
        if block.data:
            self._add(block, end)
        elif block.fields:
            what = f"The event has {', '.join(block.fields)[:EXCERPT]} but no data, and is not dispatched."
            self._report(AnomalyKind.NO_DATA_EVENT, block.offset, what)
        elif not block.comments:
            self._report(AnomalyKind.EXTRA_BLANK_LINE, blank, "The blank line ends nothing.")

    def _add(self, block: _Block, end: int) -> None:
        lines = len(block.data)
        if lines > 1:
            what = f"The event has {lines} data lines."
            self._report(AnomalyKind.MULTI_LINE_DATA, block.offset, what)
        data, event = "\n".join(block.data), block.event or "message"
        fields = tuple(block.fields)
        fields = self._orders.setdefault(fields, fields)
        self._events.append(Event(data, event, self._last_id, block.retry, block.offset, end, lines, fields))

    def _end_of_stream(self) -> None:
        rest, offset = self._skip_bom(bytes(self._buffer), self._offset)
        cut = [_text(rest)] if rest and not rest.startswith(b":") else []
        if self._block.fields:
            offset = self._block.offset
        elif not cut:
            return
        what = "The stream ends before the blank line of its last event, which is not dispatched."
        self._report(AnomalyKind.INCOMPLETE_EVENT, offset, what, "\n".join(self._block.data + cut))

    def _report_line_end(self, end: bytes, offset: int) -> None:
        kind, name = (AnomalyKind.CRLF, "CR LF") if end == b"\r\n" else (AnomalyKind.CR, "CR alone")
        self._report(kind, offset, f"The line ends in {name}.")

    def _report(self, kind: AnomalyKind, offset: int, message: str, text: str = "") -> None:
        self._counts[kind] += 1
        if self._counts[kind] <= KEPT_PER_KIND:
            self._anomalies.append(Anomaly(kind, offset, message, text[:EXCERPT]))


def _text(data: bytes) -> str:
    return data[: 4 * EXCERPT].decode(errors="replace")  # a character is at most four bytes


_FIELDS: Mapping[str, Callable[[Decoder, str, int], None]] = {
    "data": Decoder._data,  # noqa: SLF001 - the table of the class above
    "event": Decoder._event,  # noqa: SLF001 - as above
    "id": Decoder._id,  # noqa: SLF001 - as above
    "retry": Decoder._retry,  # noqa: SLF001 - as above
}
