"""Streams of responses and messages that are forwarded unchanged, event by event. No I/O.

The events are read along, so that a stream that breaks off can end with the error event of its API.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

from gonogo_server import sse
from gonogo_server.errors import UpstreamError
from gonogo_server.repair.documents import read_object
from gonogo_server.repair.reading import MOST_BYTES, EventReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Document = dict[str, Any]

_END: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LONGEST_END: Final = 4


class Relay:
    """Forwards one stream. `hide` are texts that must not be in an error: the key and the address of the upstream."""

    lasts: ClassVar[frozenset[str]]
    """Types of terminal events."""
    errors: ClassVar[frozenset[str]]
    """Types of error events among them."""

    def __init__(self, hide: Iterable[str] = ()) -> None:
        self._hide = tuple(hide)
        self._reader = EventReader(lambda _rule: None)
        self._rest = bytearray()
        self._begun = False
        self.over = False
        """Whether a terminal event has come."""
        self.prompt_tokens = self.completion_tokens = 0
        """The usage so far."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The events that these bytes complete.

        Raises `UpstreamError` for an event that is too large, or an error that has one of the texts to hide.
        """
        # What was searched before is not searched again, as an event may come in thousands of pieces.
        begin, at = 0, max(0, len(self._rest) - _LONGEST_END + 1)
        self._rest += data
        while found := _END.search(self._rest, at):
            at, self._begun = found.end(), True
            yield self._passed(bytes(self._rest[begin:at]))
            begin = at
        del self._rest[:begin]
        if len(self._rest) > MOST_BYTES:
            raise UpstreamError(
                f"An event of the upstream has more than {MOST_BYTES} bytes: ask for less in one answer.",
                code="upstream_event_too_large",
            )

    def finish(self) -> bytes:
        """The last event if only its blank line is missing, at the end of the stream. A partial event is dropped."""
        rest, self._rest = bytes(self._rest), bytearray()
        events = [*self._reader.feed(rest), *self._reader.end()] if rest else []
        for event in events:
            self._read(event.data)
        return rest.rstrip(b"\r\n") + b"\n\n" if events else b""

    def whole(self) -> Document | None:
        """The JSON object that came in place of a stream; None for a stream."""
        return None if self._begun else read_object(self._rest)

    def waiting(self) -> bytes:
        """A comment."""
        return sse.WAITING

    def end(self) -> bytes:
        """Nothing: the terminal event is the end."""
        return b""

    def failure(self, error: BaseException) -> bytes:
        """The terminal event of a stream that breaks off."""
        raise NotImplementedError

    def seen(self, event: Document) -> None:
        """Remember what `failure` needs, and the usage."""
        raise NotImplementedError

    def _passed(self, frame: bytes) -> bytes:
        for event in self._reader.feed(frame):
            kind = self._read(event.data)
            if kind in self.errors:
                self.over = False
                check_hidden(frame, self._hide)
                self.over = True
        return frame

    def _read(self, data: bytes) -> str | None:
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            return None
        if not isinstance(event, dict) or not isinstance(kind := event.get("type"), str):
            return None
        self.over |= kind in self.lasts
        self.seen(event)
        return kind


def check_hidden(failure: bytes, hide: Iterable[str]) -> None:
    """Raise `UpstreamError` in place of an upstream's failure that has one of the texts to hide."""
    if any(text and text.encode() in failure for text in hide):
        raise UpstreamError("The upstream failed while it answered: try again.")


def count(value: object) -> int:
    """A number of tokens; 0 if it is not a positive integer."""
    return value if type(value) is int and value > 0 else 0
