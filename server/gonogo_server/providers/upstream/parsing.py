"""Parses one HTTP/1.1 response with httptools, as strict about its framing as h11. No I/O.

Source: RFC 9112, sections 4, 6 and 7.
"""

from __future__ import annotations

from typing import Final

import httpcore2
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

LARGEST_HEAD: Final = 100 * 2**10
"""The most bytes of a head, as in httpcore2."""
LENGTHS: Final = (b"content-length", b"transfer-encoding")
CUT: Final = "The connection ended before the answer did."


class Parser:
    """The parser of one response: `feed` it the received bytes until it is `done`."""

    def __init__(self) -> None:
        self.status = 0
        self.reason = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.begun = False
        """Whether the head of the final response is complete, not that of an informational one (status 1xx)."""
        self.done = False
        self.reusable = False
        """Whether the connection can serve another request; False until `done`."""
        self._failure = ""
        self._size = 0
        self._own = 0  # the number of pieces that belong to this response
        self._pieces: list[bytes] = []
        self.on_body = self._pieces.append
        self._http = HttpResponseParser(self)
        # As h11 accepts, because servers send it: spaces after the size of a chunk, Content-Length with chunks.
        self._http.set_dangerous_leniencies(lenient_spaces_after_chunk_size=True, lenient_chunked_length=True)
        self._http.set_dangerous_leniencies(lenient_optional_cr_before_lf=True)  # within the head only

    def feed(self, data: bytes) -> bytes:
        """Return the body's bytes in this data.

        Raises `httpcore2.RemoteProtocolError` if the response is invalid; bytes of the body before the error are
        returned first.
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
                self.reusable = False  # bytes after the end of the response
            else:
                self._failure = self._failure or f"The answer is not HTTP: {error}"
        if not self.begun and self._size > LARGEST_HEAD:
            self._failure = f"The head of the answer has more than {LARGEST_HEAD} bytes."

    def end(self) -> None:
        """The connection has ended, which completes a response without a length.

        Raises `httpcore2.RemoteProtocolError` if the response is incomplete.
        """
        if self._failure or not self.begun or any(name.lower() in LENGTHS for name, _ in self.headers):
            raise httpcore2.RemoteProtocolError(self._failure or CUT)
        self.done = True

    # ---- callbacks of httptools, which would hide the reason of an exception

    def on_message_begin(self) -> None:
        """Drop an informational response; a second response was not requested."""
        if self.done:
            self.reusable = False
        else:
            self.status, self.reason, self.headers = 0, b"", []

    def on_status(self, reason: bytes) -> None:
        """Add to the reason phrase."""
        if not self.done:
            self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers are ignored."""
        if not self.begun:
            self.headers.append((name, value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        """Check the head."""
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
        """Note the end of the final response."""
        if self.begun and not self.done:
            self.done = True
            self.reusable = self._http.should_keep_alive()
            self._own = len(self._pieces)
