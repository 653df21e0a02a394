"""One answer of HTTP/1.1, parsed by httptools and held to the framing that h11 holds it to. No I/O.

Source: RFC 9112, sections 4, 6 and 7.
"""

from __future__ import annotations

from typing import Final

import httpcore2
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

LARGEST_HEAD: Final = 100 * 2**10
"""Bytes of a head, as httpcore2 has it."""
LENGTHS: Final = (b"content-length", b"transfer-encoding")
CUT: Final = "The connection ended before the answer did."


class Parser:
    """Feed it what comes until it is `done`."""

    def __init__(self) -> None:
        self.status = 0
        self.reason = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.begun = False
        """Whether the head is complete; of an answer, not of an information before it (status 1xx)."""
        self.done = False
        self.reusable = False
        """Whether the connection can serve another request; false while it is not done."""
        self._failure = ""
        self._size = 0
        self._own = 0  # of the pieces, those before the end
        self._pieces: list[bytes] = []
        self.on_body = self._pieces.append
        self._http = HttpResponseParser(self)
        # What h11 takes too, and servers send: padding behind the size of a chunk, a length beside the chunks.
        self._http.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True, lenient_chunked_length=True)
        self._http.set_dangerous_leniencies(lenient_optional_cr_before_lf=True)  # in the head alone

    def feed(self, data: bytes) -> bytes:
        """What of the body is in these bytes.

        Raises `httpcore2.RemoteProtocolError` for what is no answer, once there is no good body before it.
        """
        if not self.begun:
            self._size += len(data)
        if not self._failure:
            self._parse(data)
        if self.done or not self.begun:
            del self._pieces[self._own :]
        if self._failure and not self._pieces:
            raise httpcore2.RemoteProtocolError(self._failure)
        body = b"".join(self._pieces)
        self._pieces.clear()
        return body

    def _parse(self, data: bytes) -> None:
        try:
            self._http.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            if self.done:
                self.reusable = False  # more than an answer
            else:
                self._failure = self._failure or f"The answer is not HTTP: {error}"
        if not self.begun and self._size > LARGEST_HEAD:
            self._failure = f"The head of the answer has more than {LARGEST_HEAD} bytes."

    def end(self) -> None:
        """The peer sends no more, which ends an answer without a length. Raises `httpcore2.RemoteProtocolError`."""
        if self._failure or not self.begun or any(name.lower() in LENGTHS for name, _ in self.headers):
            raise httpcore2.RemoteProtocolError(self._failure or CUT)
        self.done = True

    # What httptools calls; it would lose the reason of what is raised here.

    def on_message_begin(self) -> None:
        """Forget an information; what begins behind the answer was not requested."""
        if self.done:
            self.reusable = False
        else:
            self.status, self.reason, self.headers = 0, b"", []

    def on_status(self, reason: bytes) -> None:
        """A part of the reason."""
        if not self.done:
            self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which nobody asks for."""
        if not self.begun:
            self.headers.append((name, value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        """The end of a head."""
        if self.done:
            return
        self.status = self._http.get_status_code()
        codings = [value.lower() for name, value in self.headers if name.lower() == b"transfer-encoding"]
        if codings not in ([], [b"chunked"]):
            self._failure = "The transfer encoding of the answer is not chunked."
        elif self.status >= 200:
            self.begun = True
            self._http.set_dangerous_leniencies(lenient_optional_cr_before_lf=False)

    def on_message_complete(self) -> None:
        """The end of an answer or an information."""
        if self.begun and not self.done:
            self.done = True
            self.reusable = self._http.should_keep_alive()
            self._own = len(self._pieces)
