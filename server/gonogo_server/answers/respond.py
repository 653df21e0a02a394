"""Sends what generations say: as one JSON object, or as server-sent events while they are generated."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from gonogo_server import sse
from gonogo_server.answers.event_writer import ChunkForm, EventWriter
from gonogo_server.answers.stream import Counted, Finished, fold
from gonogo_server.envelope import envelope
from gonogo_server.exchange import current

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

    from pydantic import BaseModel
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from gonogo_server.answers.stream import Step, Whole

Result = TypeVar("Result")

MANY: Final = 1024
"""Tokens of a whole response from which on a thread writes it."""


COMMENT_SECONDS: Final = 5.0
"""Between two comments of a stream that waits for its first token, where it began at once."""


class Form(ChunkForm, Protocol):
    """How steps look on the wire."""

    def whole(self, whole: Whole) -> BaseModel:
        """The response that says everything at once."""


async def respond(
    request: Request,
    steps: AsyncGenerator[list[Step], None],
    form: Form,
    *,
    stream: bool,
    patience: float | None = None,
) -> Response:
    """The response made of `steps`, in `form`; a stream sends those of a list at once.

    Whatever fails before the first step is raised, so that it gets a status of its own; where a stream has none after
    `patience` seconds (None: however long it takes), it begins without, and says so every `patience` seconds. Raises
    `ClientDisconnect` where nobody waits any more; the generation is stopped then.
    """
    steps = _noted(steps)
    if stream:
        first = asyncio.ensure_future(anext(steps))
        try:
            await while_connected(request, _look(first, patience))
            if first.done():
                first.result()
        except BaseException:
            await _drop(first)
            raise
        return EventStream(first, steps, form, patience)
    whole = await while_connected(request, _fold(steps))
    return Response(await _written(form, whole), media_type="application/json")


async def _look(first: asyncio.Future[list[Step]], patience: float | None) -> None:
    """Wait until the first steps are there, or for `patience` seconds."""
    await asyncio.wait((first,), timeout=patience)


async def _drop(first: asyncio.Future[list[Step]]) -> None:
    """Have nobody wait for the first steps any more, so that what they come from can be closed."""
    if not first.done():
        first.cancel()
        await asyncio.wait((first,))
    if not first.cancelled():
        first.exception()  # which nobody is to be told of


async def _written(form: Form, whole: Whole) -> str:
    """The response as JSON; of many tokens, which may have twenty others beside each, while others are answered."""

    def write() -> str:
        return form.whole(whole).model_dump_json(by_alias=True)

    return await asyncio.to_thread(write) if whole.counted.completion_tokens > MANY else write()


class EventStream(StreamingResponse):
    """A stream of chunks that begins with those of `first`; when the client goes, `steps` are closed.

    Until those are there it has a comment every `patience` seconds.
    """

    media_type = sse.MEDIA_TYPE

    def __init__(
        self,
        first: asyncio.Future[list[Step]],
        steps: AsyncGenerator[list[Step], None],
        form: Form,
        patience: float | None,
    ) -> None:
        self._first = first
        self._steps = steps
        self._events = _events(first, steps, EventWriter(form), patience)
        super().__init__(self._events, headers=sse.HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; both generators end with it, also when it is cut short between two events."""
        async with aclosing(self._steps), aclosing(self._events):
            try:
                await super().__call__(scope, receive, send)
            finally:
                await _drop(self._first)


async def _events(
    first: asyncio.Future[list[Step]],
    steps: AsyncGenerator[list[Step], None],
    writer: EventWriter,
    patience: float | None,
) -> AsyncGenerator[bytes, None]:
    """The events. An error is the last of them: the status is sent by then, and a `[DONE]` would be a lie."""
    try:
        while not first.done():
            yield sse.WAITING
            await _look(first, patience or COMMENT_SECONDS)
        if events := writer.events(first.result()):
            yield events
        async for some in steps:
            if events := writer.events(some):
                yield events
    except Exception as error:  # noqa: BLE001 - whatever it is, the client is told, and the log by the exchange
        current().failed(error)
        yield sse.event(envelope(error))
    else:
        yield sse.DONE


async def _noted(steps: AsyncGenerator[list[Step], None]) -> AsyncGenerator[list[Step], None]:
    """The same steps, with why answers ended and what all took noted for the log; `steps` are closed with it."""
    exchange = current()
    async with aclosing(steps):
        async for some in steps:
            for step in some:
                if isinstance(step, Finished):
                    exchange.finish_reasons.append(step.reason)
                elif isinstance(step, Counted):
                    exchange.cached_tokens = step.cached_tokens
            yield some


async def _fold(steps: AsyncGenerator[list[Step], None]) -> Whole:
    async with aclosing(steps):
        return fold([step async for some in steps for step in some])


async def while_connected(request: Request, work: Coroutine[object, object, Result]) -> Result:
    """The result of `work`, which is cancelled when the client goes away before."""
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
