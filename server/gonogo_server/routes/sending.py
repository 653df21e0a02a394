"""Sends the answers of providers: one JSON object, or server-sent events while they arrive."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, TypeVar

from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from gonogo_server import sse
from gonogo_server.answers.written import Body, Events
from gonogo_server.exchange import current
from gonogo_server.operations.exchange_headers import REPAIRS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Mapping

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from gonogo_server.answers.written import Answer
    from gonogo_server.settings import Settings

Result = TypeVar("Result")

COMMENT_SECONDS: Final = 5.0
"""Seconds between two comments of a stream that waits for its first event, if it began at once."""


async def answered(request: Request, answering: Coroutine[object, object, Answer]) -> Response:
    """The response with a provider's answer; `answering` is cancelled when the client disconnects.

    Raises what the provider raises, and `ClientDisconnect`.
    """
    answer = await while_connected(request, answering)
    headers = _marks(request)
    if isinstance(answer, Body):
        return Response(answer.content, headers=headers, media_type="application/json")
    return EventStream(answer, headers)


def _marks(request: Request) -> dict[str, str]:
    """The header that lists the rules repaired so far, if the settings ask for it."""
    settings: Settings = request.app.state.settings
    repairs = current().repairs
    return {REPAIRS: ", ".join(repairs)} if settings.mark_repairs and repairs else {}


class EventStream(StreamingResponse):
    """A stream of events, which stops its source when the client disconnects."""

    media_type = sse.MEDIA_TYPE

    def __init__(self, events: Events, headers: Mapping[str, str]) -> None:
        self._events = events
        self._frames = _frames(events)
        super().__init__(self._frames, headers={**sse.HEADERS, **headers})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream; both generators are closed at the end, even if it is interrupted between two events."""
        async with aclosing(self._events), aclosing(self._frames):
            await super().__call__(scope, receive, send)


async def _frames(events: Events) -> AsyncGenerator[bytes, None]:
    """The bytes to send. An error is sent as the last event, because the status has been sent already."""
    framing = events.framing
    current().last_word = framing.failure
    try:
        while not events.first.done():
            yield framing.waiting()
            await events.look(events.patience or COMMENT_SECONDS)
        yield events.first.result()
        async for event in events.rest:
            yield event
    except Exception as error:  # noqa: BLE001 - any error is reported to the client and, by the exchange, to the log
        current().failed(error)
        yield framing.failure(error)
    else:
        yield framing.end()


async def while_connected(request: Request, work: Coroutine[object, object, Result]) -> Result:
    """The result of `work`. If the client disconnects first, cancels `work` and raises `ClientDisconnect`."""
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(_disconnect(request))
    try:
        await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientDisconnect
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.wait((working, watching))


async def _disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
