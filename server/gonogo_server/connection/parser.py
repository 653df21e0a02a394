"""HTTP/1.1 parsing with h11, plus the checks that h11 leaves to a server. No I/O.

Source: RFC 9112 section 3.2.2 (absolute-form targets), section 6.3 (two lengths of one body).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import h11

from gonogo_server.errors import BadHttp, CodingNotRead, HeadTooLarge

if TYPE_CHECKING:
    from h11 import Event

    from gonogo_server.errors import ServerError

LENGTHS: Final = {b"content-length", b"transfer-encoding"}
ABSOLUTE: Final = (b"http://", b"https://")
UNREADABLE: Final = (
    "check the request line, the headers (exactly one Host, no invalid characters) and the body length"
)
REFUSALS: Final = {
    431: HeadTooLarge("The head of the request is too large: send shorter headers, or fewer."),
    501: CodingNotRead("The only supported transfer coding is chunked: use it, or send a Content-Length."),
}
"""Errors for the status codes that h11 suggests, other than for an unreadable request."""
CHUNKED: Final = b"\r\ntransfer-encoding: chunked\r\n"


class Parser(h11.Connection):
    """Reads requests and writes responses; `refusal` is the error if it cannot continue."""

    refusal: ServerError | None = None
    _chunked = False  # how the response that is open is framed

    def send_with_data_passthrough(self, event: Event) -> list[bytes] | None:
        """The bytes of an event. Those of a chunk at once: it changes no state, of which h11 makes sure at length."""
        if self._chunked and type(event) is h11.Data and event.data and self.our_state is h11.SEND_BODY:
            return [b"%x\r\n" % len(event.data), event.data, b"\r\n"]
        sent = super().send_with_data_passthrough(event)
        if type(event) is h11.Response:
            self._chunked = CHUNKED in b"".join(sent or ()).lower()
        return sent

    def next_event(self) -> Event | type[h11.NEED_DATA | h11.PAUSED]:
        """The next event. Raises `h11.RemoteProtocolError` for an invalid or ambiguous request."""
        try:
            event = super().next_event()
            return _checked(event) if isinstance(event, h11.Request) else event
        except h11.RemoteProtocolError as error:
            why = str(error) if isinstance(error, _Refused) else UNREADABLE
            self.refusal = REFUSALS.get(error.error_status_hint) or BadHttp(
                f"This is not a valid HTTP/1.1 request (RFC 9112): {why}."
            )
            raise


class _Refused(h11.RemoteProtocolError):
    """A request that h11 accepts but the server does not."""


def _checked(request: h11.Request) -> h11.Request:
    """The request with its target reduced to path and query; the host of an absolute target replaces the Host header.

    Raises `_Refused` if the request has two body lengths: a proxy in front of the server may believe the other one and
    take part of this body for the next request.
    """
    if {name for name, _ in request.headers} >= LENGTHS:
        raise _Refused("it has both Content-Length and Transfer-Encoding; send one of them")
    if not request.target.lower().startswith(ABSOLUTE):
        return request
    try:
        target = urlsplit(request.target)
    except ValueError:
        raise _Refused("its target is not a URL") from None
    others = [(name, value) for name, value in request.headers.raw_items() if name.lower() != b"host"]
    return h11.Request(
        method=request.method,
        target=(target.path or b"/") + (b"?" + target.query if target.query else b""),
        headers=[(b"host", target.netloc.rpartition(b"@")[2]), *others],
        http_version=request.http_version,
    )
