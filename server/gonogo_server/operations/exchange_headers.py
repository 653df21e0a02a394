"""Headers of every response: the request id, and the time until the response began."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders

from gonogo_server.envelope import REQUEST_ID, of_messages
from gonogo_server.events import bind_request

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MESSAGE_REQUEST_ID: Final = "request-id"
"""The header that clients of the Messages API expect."""
PROCESSING_MS: Final = "openai-processing-ms"

# Characters that log files and shells accept without quoting.
ACCEPTABLE_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")


REPAIRS: Final = "x-gonogo-repairs"
SECURITY: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}
"""Headers that tell browsers that a response is data, not a page or a frame."""


class ExchangeHeaders:
    """Wraps an application; adds `x-request-id` (the client's own id if it is acceptable) and the time in ms.

    `secure` adds the headers for browsers.

    The time ends when the response begins, because a stream's headers are sent before its end is known. This must be
    the outermost layer, so that answers of other layers get the headers too.
    """

    def __init__(self, app: ASGIApp, *, secure: bool = True) -> None:
        self._app = app
        self._added = SECURITY if secure else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the exchange on, and add the headers to its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope).get(REQUEST_ID))
        bind_request(request_id)
        scope[REQUEST_ID] = request_id
        begun = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                if of_messages(scope):
                    headers[MESSAGE_REQUEST_ID] = request_id
                for name, value in self._added.items():
                    headers.setdefault(name, value)
                headers[PROCESSING_MS] = str(round((time.perf_counter() - begun) * 1000))
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _request_id(given: str | None) -> str:
    if given is not None and ACCEPTABLE_ID.fullmatch(given):
        return given
    return f"req_{uuid4().hex}"
