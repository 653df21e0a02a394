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
"""Between two comments of a stream that waits for its first event, where it began at once."""


async def answered(request: Request, answering: Coroutine[object, object, Answer]) -> Response:
    """The response with the answer of a provider, which is cancelled when the client disconnects.

    Raises what the provider raises, and `ClientDisconnect`.
    """
    answer = await while_connected(request, answering)
    headers = _marks(request)
    if isinstance(answer, Body):
        return Response(answer.content, headers=headers, media_type="application/json")
    return EventStream(answer, headers)


def _marks(request: Request) -> dict[str, str]:
    """The rules that the answer was repaired by so far, where the settings want them named."""
    settings: Settings = request.app.state.settings
    repairs = current().repairs
    return {REPAIRS: ", ".join(repairs)} if settings.mark_repairs and repairs else {}


class EventStream(StreamingResponse):
    """A stream of events; when the client goes, what makes them is stopped."""

    media_type = sse.MEDIA_TYPE

    def __init__(self, events: Events, headers: Mapping[str, str]) -> None:
        self._events = events
        self._frames = _frames(events)
        super().__init__(self._frames, headers={**sse.HEADERS, **headers})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; both generators end with it, also when it is cut short between two events."""
        async with aclosing(self._events), aclosing(self._frames):
            await super().__call__(scope, receive, send)


async def _frames(events: Events) -> AsyncGenerator[bytes, None]:
    """All that is sent. An error is the last of it: the status is sent by then."""
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
    """The result of `work`, which is cancelled when the client goes away before. Raises `ClientDisconnect` then."""
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
