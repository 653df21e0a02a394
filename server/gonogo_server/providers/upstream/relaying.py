"""Forwards requests for responses and messages to an upstream that has these endpoints."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from gonogo_server.answers.written import Body, begun
from gonogo_server.errors import UpstreamError
from gonogo_server.exchange import current
from gonogo_server.providers.upstream.partial import until_failure
from gonogo_server.repair.documents import encoded, read_object
from gonogo_server.repair.errors import error_in
from gonogo_server.surfaces.relaying import check_hidden, count

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from gonogo_wire import CountMessageTokensRequest, CreateMessageRequest, CreateResponseRequest

    from gonogo_server.answers.written import Answer
    from gonogo_server.providers.base import Context
    from gonogo_server.providers.upstream.client import Client, Reply
    from gonogo_server.providers.upstream.endpoints import Endpoints
    from gonogo_server.repair.base import Document
    from gonogo_server.surfaces.relaying import Relay

    SurfaceRequest: TypeAlias = CreateResponseRequest | CreateMessageRequest | CountMessageTokensRequest

NO_SUCH_PATH: Final = frozenset({404, 405, 501})
"""Statuses for a path that a server does not have."""
REFUSED: Final = frozenset({400, 422})
"""Statuses for an invalid request, which show that the path exists."""


class NoSuchPathError(Exception):
    """The upstream does not seem to have the path."""


@dataclass(frozen=True, slots=True)
class Relaying:
    """Forwards requests to the endpoints that the upstream has. `patience` as for `begun`."""

    client: Client
    endpoints: Endpoints
    patience: float | None = None

    async def answer(
        self, path: str, body: SurfaceRequest, context: Context, relay: Relay | None = None
    ) -> Answer | None:
        """The upstream's answer, with a `relay` a stream; None if the upstream does not seem to have the path.

        Raises the upstream's error.
        """
        known = self.endpoints.has(path, body.model)
        if known is False:
            return None
        exchange = _Exchange(self.client, self.endpoints, path, body.model, context, sure=known is True)
        try:
            if relay is None:
                return await exchange.whole()
            return await begun(exchange.events(relay), self.patience if known else None, relay)
        except NoSuchPathError:
            return None

    def translated(self, path: str, model: str, answer: Answer) -> None:
        """Remember that the upstream lacks a path, if the chat completion in its place works."""
        if isinstance(answer, Body) or answer.first.done():
            self.endpoints.missed(path, model)


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One forwarded request, and its answer."""

    client: Client
    endpoints: Endpoints
    path: str
    model: str
    context: Context
    sure: bool
    """Whether the upstream has the path."""

    async def whole(self) -> Body:
        """The answer as one body. Raises `UpstreamError` if it is an error or not a JSON object."""
        async with self.client.exchange(
            "POST", self.path, self._content(), self.context.request_id, self.context.headers
        ) as reply:
            await self._check(reply)
            data = await reply.body()
        document = read_object(data)
        if document is None:
            raise UpstreamError(
                "The upstream's answer is no JSON object: ask again.", code="upstream_unreadable"
            )
        self._check_document(document)
        if document.get("status") == "failed":
            check_hidden(data, self.client.hidden)
        _note(document.get("usage"))
        return Body(data)

    async def events(self, relay: Relay) -> AsyncGenerator[bytes, None]:
        """The events of the answer. Raises a `ServerError` after the last valid one."""
        exchange = current()
        async with self.client.exchange(
            "POST", self.path, self._content(), self.context.request_id, self.context.headers
        ) as reply:
            await self._check(reply)
            async with aclosing(_read(reply, relay, self._check_document)) as coming:
                async for events in coming:
                    self.endpoints.found(self.path)
                    if exchange.first_token_seconds is None:
                        exchange.first_token_seconds = exchange.seconds
                    yield events
        exchange.prompt_tokens, exchange.completion_tokens = relay.prompt_tokens, relay.completion_tokens

    def _content(self) -> bytes:
        """The client's bytes, or new ones if the model has another name at the upstream."""
        document: Document = json.loads(self.context.raw)
        if document["model"] == self.model:
            return self.context.raw
        return encoded({**document, "model": self.model})

    async def _check(self, reply: Reply) -> None:
        """Raise the upstream's error, or `NoSuchPathError`; remember whether the path exists."""
        error = await self.client.error(reply)
        if error is None:
            return
        if reply.status in REFUSED:
            self.endpoints.found(self.path)
        elif not self.sure and reply.status in NO_SUCH_PATH and error.code != "model_not_found":
            raise NoSuchPathError
        raise error

    def _check_document(self, document: Document) -> None:
        """The same for an answer with status 200: LM Studio answers with 200 on paths that it does not have.

        Source: lmstudio-ai/lmstudio-bug-tracker#618.
        """
        is_answer = document.get("object") == "response" or document.get("type") == "message"
        error = None if is_answer else error_in(document, self.client.hidden)
        if error is None or document.get("type") == "error":
            self.endpoints.found(self.path)
        elif not self.sure:
            raise NoSuchPathError
        if error is not None:
            raise error


async def _read(reply: Reply, relay: Relay, check: Callable[[Document], None]) -> AsyncGenerator[bytes, None]:
    """The events, grouped by read. A connection that breaks after the terminal event is not an error.

    `check` raises the error for a JSON object that was sent in place of a stream.
    """
    try:
        async for piece in reply.pieces():
            good, failure = until_failure(relay.feed(piece))
            if good:
                yield b"".join(good)
            if failure is not None:
                raise failure
    except UpstreamError:
        if not relay.over:
            raise
    else:
        if (document := relay.whole()) is not None:
            check(document)
            raise UpstreamError(
                "The upstream answered without a stream: ask for none.", code="upstream_unreadable"
            )
        if rest := relay.finish():
            yield rest
        if not relay.over:
            raise UpstreamError(
                "The upstream's answer ended before it was finished: try again.", code="upstream_incomplete"
            )


def _note(usage: object) -> None:
    """Record the usage for the log."""
    if isinstance(usage, dict):
        exchange = current()
        exchange.prompt_tokens = count(usage.get("input_tokens"))
        exchange.completion_tokens = count(usage.get("output_tokens"))
