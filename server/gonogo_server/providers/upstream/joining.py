"""Joins the answers to several requests into one while they arrive."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from gonogo_server.providers.upstream.request import UpstreamRequest
    from gonogo_server.repair.base import Document, Joiner

    Item = tuple[int, list[Document] | BaseException | None]

AHEAD = 64
"""Pieces that are buffered for a slow client before reading from the upstream is paused."""


async def joined(requests: Sequence[UpstreamRequest], joiner: Joiner) -> AsyncGenerator[list[Document], None]:
    """The chunks of all answers in one stream. An exception of one of them ends all."""
    coming: asyncio.Queue[Item] = asyncio.Queue(AHEAD)
    tasks = [asyncio.ensure_future(_read(number, request, coming)) for number, request in enumerate(requests)]
    try:
        left = len(tasks)
        while left:
            number, what = await coming.get()
            if isinstance(what, BaseException):
                raise what
            if what is None:
                left -= 1
            else:
                yield [made for chunk in what for made in joiner.chunk(number, chunk)]
        yield list(joiner.end())
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def one(request: UpstreamRequest) -> AsyncGenerator[list[Document], None]:
    """The chunks of a single answer."""
    async with aclosing(request.chunks()) as coming:
        async for chunks in coming:
            yield chunks


async def _read(number: int, request: UpstreamRequest, coming: asyncio.Queue[Item]) -> None:
    try:
        async with aclosing(request.chunks()) as parts:
            async for chunks in parts:
                await coming.put((number, chunks))
    except Exception as error:  # noqa: BLE001 - raised by the reader of the queue
        await coming.put((number, error))
    else:
        await coming.put((number, None))
