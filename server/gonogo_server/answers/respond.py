"""Serializes generations: as one JSON object, or as server-sent events while they are generated."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, Protocol

from gonogo_server.answers.event_writer import ChunkForm, EventWriter
from gonogo_server.answers.stream import Counted, Finished, fold
from gonogo_server.answers.written import Body, begun
from gonogo_server.exchange import current

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable

    from pydantic import BaseModel

    from gonogo_server.answers.stream import Step, Whole
    from gonogo_server.answers.written import Answer
    from gonogo_server.exchange import Exchange

MANY: Final = 1024
"""A whole response with more tokens than this is serialized in a thread."""


class Form(ChunkForm, Protocol):
    """The wire form of steps."""

    def whole(self, whole: Whole) -> BaseModel:
        """The whole response as one object."""


async def respond(
    steps: AsyncGenerator[list[Step], None],
    form: Form,
    *,
    stream: bool,
    patience: float | None = None,
) -> Answer:
    """The answer made of `steps`, in `form`; a stream sends the steps of one list at once.

    An error before the first step is raised, so that it gets its own status. A stream without a step after `patience`
    seconds (None: no limit) starts anyway.
    """
    if stream:
        return await begun(_events(steps, EventWriter(form)), patience)
    whole = await _fold(steps)
    return Body(
        await serialized(
            lambda: form.whole(whole).model_dump_json(by_alias=True), whole.counted.completion_tokens
        )
    )


async def serialized(write: Callable[[], str | bytes], tokens: int) -> str | bytes:
    """What `write` returns; of many tokens in a thread, because each may have twenty alternatives."""
    return await asyncio.to_thread(write) if tokens > MANY else write()


async def _events(
    steps: AsyncGenerator[list[Step], None], writer: EventWriter
) -> AsyncGenerator[bytes, None]:
    """The events of the steps; closing the generator closes `steps`."""
    exchange = current()
    async with aclosing(steps):
        async for some in steps:
            note(exchange, some)
            if events := writer.events(some):
                yield events


async def _fold(steps: AsyncGenerator[list[Step], None]) -> Whole:
    exchange = current()
    collected: list[Step] = []
    async with aclosing(steps):
        async for some in steps:
            note(exchange, some)
            collected += some
    return fold(collected)


def note(exchange: Exchange, steps: Iterable[Step]) -> None:
    """Record finish reasons and cached tokens for the log."""
    for step in steps:
        if isinstance(step, Finished):
            exchange.finish_reasons.append(step.reason)
        elif isinstance(step, Counted):
            exchange.cached_tokens = step.cached_tokens
