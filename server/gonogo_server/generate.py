"""Runs generations on an engine, and sends what they say: as one JSON object or as server-sent events."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol, TypeVar

from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from gonogo_server import sse
from gonogo_server.envelope import envelope
from gonogo_server.errors import ServerError
from gonogo_server.stream import Answer, Counted, Finished, Started, fold

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Sequence

    from pydantic import BaseModel
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from gonogo_server.engine.base import Engine, Generation
    from gonogo_server.stream import Step, Whole

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class Form(Protocol):
    """How steps look on the wire."""

    def chunk(self, step: Step) -> BaseModel | None:
        """The chunk of a stream for this step; None where there is none."""

    def whole(self, whole: Whole) -> BaseModel:
        """The response that says everything at once."""


async def generate(
    engine: Engine, model: str, generations: Sequence[Generation], stops: Sequence[str]
) -> AsyncGenerator[Step, None]:
    """The steps of all `generations`, one after the other, numbered from 0; closing it stops them."""
    completion_tokens = 0
    for index, generation in enumerate(generations):
        if generation.max_tokens == 0:
            yield Started(index)
            yield Finished(index, "length")
            continue
        answer = Answer(index, stops)
        async with aclosing(engine.generate(model, generation)) as pieces:
            async for piece in pieces:
                for step in answer.take(piece):
                    yield step
                if answer.finished:
                    break
        answer.end()
        completion_tokens += answer.tokens
    yield Counted(sum(len(generation.prompt) for generation in generations), completion_tokens)


async def respond(
    request: Request, steps: AsyncGenerator[Step, None], form: Form, *, stream: bool
) -> Response:
    """The response made of `steps`, in `form`.

    Whatever fails before the first step is raised, so that it gets a status of its own. Raises
    `ClientDisconnect` where nobody waits any more; the generation is stopped then.
    """
    if stream:
        first = await _while_connected(request, anext(steps))
        return EventStream(first, steps, form)
    whole = await _while_connected(request, _fold(steps))
    return Response(form.whole(whole).model_dump_json(by_alias=True), media_type="application/json")


class EventStream(StreamingResponse):
    """A stream of chunks that began with `first`; when the client goes, `steps` are closed."""

    media_type = sse.MEDIA_TYPE

    def __init__(self, first: Step, steps: AsyncGenerator[Step, None], form: Form) -> None:
        self._steps = steps
        self._events = _events(first, steps, form)
        super().__init__(self._events, headers=sse.HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; both generators end with it, also when it is cut short between two events."""
        async with aclosing(self._steps), aclosing(self._events):
            await super().__call__(scope, receive, send)


async def _events(first: Step, steps: AsyncGenerator[Step, None], form: Form) -> AsyncGenerator[bytes, None]:
    """The events. An error is the last of them: the status is sent by then, and a `[DONE]` would be a lie."""
    try:
        if (chunk := form.chunk(first)) is not None:
            yield sse.event(chunk)
        async for step in steps:
            if (chunk := form.chunk(step)) is not None:
                yield sse.event(chunk)
    except ServerError as error:
        log.warning("A stream broke off: %s", error)
        yield sse.event(envelope(error))
    except Exception as error:
        log.exception("A stream broke off.")
        yield sse.event(envelope(error))
    else:
        yield sse.DONE


async def _fold(steps: AsyncGenerator[Step, None]) -> Whole:
    async with aclosing(steps):
        return fold([step async for step in steps])


async def _while_connected(request: Request, work: Coroutine[object, object, Result]) -> Result:
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
