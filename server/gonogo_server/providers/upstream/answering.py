"""Combines an upstream's answers to the requests of a plan into one body or one stream."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from gonogo_server.exchange import current
from gonogo_server.providers.upstream.joining import joined, one
from gonogo_server.providers.upstream.request import UpstreamRequest
from gonogo_server.repair.documents import frame

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from gonogo_server.providers.upstream.client import Client
    from gonogo_server.repair.base import Document, Operation
    from gonogo_server.repair.plan import Plan

PATHS: Final[Mapping[Operation, str]] = {
    "chat": "/chat/completions",
    "completion": "/completions",
    "embedding": "/embeddings",
}


def upstream_requests(
    client: Client, made: Plan, request_id: str, raw: bytes | None = None
) -> Sequence[UpstreamRequest]:
    """The requests of a plan; `raw` is the client's body, which is sent unchanged if the plan does not change it."""
    path = PATHS[made.requested.operation]
    return [
        UpstreamRequest(client, path, made, number, request_id, raw if each is made.document else None)
        for number, each in enumerate(made.requests)
    ]


async def whole(made: Plan, requests: Sequence[UpstreamRequest]) -> Document:
    """One complete answer, joined from the answers to all requests."""
    bodies = await _all([_whole(made, request) for request in requests])
    joiner = made.joiner()
    body = bodies[0] if joiner is None else joiner.whole(bodies)
    _count(body)
    return body


async def frames(made: Plan, requests: Sequence[UpstreamRequest]) -> AsyncGenerator[bytes, None]:
    """The events of a stream."""
    async with aclosing(chunks(made, requests)) as coming:
        async for some in coming:
            yield b"".join([frame(chunk) for chunk in some])


async def chunks(made: Plan, requests: Sequence[UpstreamRequest]) -> AsyncGenerator[list[Document], None]:
    """The chunks of a stream, even if the upstream is asked for complete answers."""
    if not made.requested.stream:
        yield list(made.chunks(await whole(made, requests)))
        return
    joiner = made.joiner()
    coming = one(requests[0]) if joiner is None else joined(requests, joiner)
    exchange = current()
    async with aclosing(coming):
        async for some in coming:
            for chunk in some:
                if chunk.get("usage"):
                    _count(chunk)
            if exchange.first_token_seconds is None:
                exchange.first_token_seconds = exchange.seconds
            yield some


async def _all(coming: Sequence[Any]) -> list[Document]:
    """All results; the first failure cancels the others."""
    tasks = [asyncio.ensure_future(each) for each in coming]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _whole(made: Plan, request: UpstreamRequest) -> Document:
    """A complete answer, even if the upstream is asked for a stream."""
    if not made.requested.stream:
        return await request.whole()
    async with aclosing(one(request)) as coming:
        return made.fold([chunk async for chunks in coming for chunk in chunks])


def _count(document: Document) -> None:
    """Record the token counts for the log."""
    usage = document.get("usage")
    if isinstance(usage, dict):
        exchange = current()
        exchange.prompt_tokens = usage.get("prompt_tokens") or 0
        exchange.completion_tokens = usage.get("completion_tokens") or 0
