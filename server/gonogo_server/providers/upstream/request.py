"""One request to an upstream, and its repaired answer."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gonogo_server.errors import ServerError, UpstreamError
from gonogo_server.providers.upstream.partial import until_failure
from gonogo_server.repair.body import repaired
from gonogo_server.repair.documents import encoded
from gonogo_server.repair.errors import for_client
from gonogo_server.repair.stream import StreamRepair

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gonogo_server.providers.upstream.client import Client, Reply
    from gonogo_server.repair.base import Document
    from gonogo_server.repair.plan import Plan


LINGER_SECONDS: Final = 0.05
"""Seconds to wait for the end of the body after [DONE]; without it the connection is closed, and the answer is kept."""


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """Request number `number` of a plan; `raw` is the client's body if it is forwarded unchanged."""

    client: Client
    path: str
    plan: Plan
    number: int
    request_id: str
    raw: bytes | None = None

    @property
    def content(self) -> bytes:
        """The body of the request."""
        return encoded(self.plan.requests[self.number]) if self.raw is None else self.raw

    async def whole(self) -> Document:
        """The answer as one body. Raises a `ServerError` if it is an error or cannot be parsed."""
        plan = self.plan
        async with self.client.exchange("POST", self.path, self.content, self.request_id) as reply:
            await self._check(reply)
            data = await reply.body()
        try:
            document = repaired(plan.requested, data, plan.noted)
        except UpstreamError as error:
            raise self._told(error) from None
        return plan.body(self.number, document)

    async def chunks(self) -> AsyncGenerator[list[Document], None]:
        """The chunks of the answer, grouped by read. Raises a `ServerError` after the last valid one."""
        plan = self.plan
        more = plan.stages(self.number)
        async with self.client.exchange("POST", self.path, self.content, self.request_id) as reply:
            await self._check(reply)
            repair = StreamRepair(plan.requested, plan.noted, more, media_type=reply.media_type)
            async with aclosing(_with_end(reply, repair)) as pieces:
                async for piece in pieces:
                    good, failure = until_failure(
                        repair.end() if piece is None else repair.feed(piece) if piece else repair.give_up()
                    )
                    if good:
                        yield good
                    if failure is not None:
                        raise self._told(failure)
                    if more and any(stage.finished for stage in more):
                        return

    def _told(self, failure: ServerError) -> ServerError:
        """The failure without the texts that no client may see: the key and the address of the upstream."""
        return for_client(failure, self.client.hidden) if isinstance(failure, UpstreamError) else failure

    async def _check(self, reply: Reply) -> None:
        """Raise the upstream's error if it answered with one."""
        if (error := await self.client.error(reply)) is not None:
            raise error


async def _with_end(reply: Reply, repair: StreamRepair) -> AsyncGenerator[bytes | None, None]:
    """The pieces of a stream, and None for its end: its [DONE], or the end of the connection.

    A connection that breaks after the finish reasons of all choices counts as a regular end. For any other break an
    empty piece is yielded, and then an `UpstreamError` is raised. After [DONE] the rest of the body is read, so that
    the connection can be reused.
    """
    pieces = reply.pieces()
    try:
        async for piece in pieces:
            if piece:
                yield piece
            if repair.done:
                break
    except UpstreamError:
        if not repair.finished:
            yield b""
            raise
    yield None
    with suppress(TimeoutError, UpstreamError):
        async with asyncio.timeout(LINGER_SECONDS):
            async for _ in pieces:
                pass
