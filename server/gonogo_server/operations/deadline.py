"""The time limit of a request, from its first byte to the last byte of its answer."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers

from gonogo_server import sse
from gonogo_server.envelope import envelope, error_response
from gonogo_server.errors import DeadlineExceeded
from gonogo_server.exchange import current

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LAST_WORD_SECONDS: Final = 1.0
"""For sending the error event, because the client may not be reading at all."""


class Deadline:
    """Wraps an application and cancels it after `seconds`.

    The client gets an error status, or an error event if a stream has begun. Events are sent whole, so none is cut.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the exchange on until the time is over."""
        started: list[Message] = []

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
            await send(message)

        try:
            async with asyncio.timeout(self._seconds) as clock:
                await self._app(scope, receive, watched)
        except TimeoutError:
            if not clock.expired():
                raise
            error = DeadlineExceeded(self._seconds, upstream=current().provider is not None)
            if not started:
                await error_response(error, scope)(scope, receive, send)
            else:
                await _break_off(error, started[0], send)


async def _break_off(error: DeadlineExceeded, start: Message, send: Send) -> None:
    """Send the error in the stream; a response that is no stream just ends."""
    current().failed(error)
    if Headers(raw=start["headers"]).get("content-type", "").startswith(sse.MEDIA_TYPE):
        last_word = current().last_word
        body = sse.event(envelope(error)) if last_word is None else last_word(error)
        last = {"type": "http.response.body", "body": body, "more_body": False}
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORD_SECONDS):
                await send(last)
