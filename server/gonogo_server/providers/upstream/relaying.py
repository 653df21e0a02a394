"""Forwards requests for responses and messages to an upstream that has these endpoints, and remembers which it has."""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from gonogo_server.answers.written import Body, begun
from gonogo_server.errors import UpstreamError
from gonogo_server.exchange import current
from gonogo_server.providers.upstream.partial import until_failure
from gonogo_server.repair.documents import encoded
from gonogo_server.repair.errors import error_in, upstream_error
from gonogo_server.repair.table.row import Does
from gonogo_server.surfaces.relaying import check_hidden, count

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from gonogo_wire import CountMessageTokensRequest, CreateMessageRequest, CreateResponseRequest

    from gonogo_server.answers.written import Answer
    from gonogo_server.provider_settings import Surface, Surfaces
    from gonogo_server.providers.base import Context
    from gonogo_server.providers.upstream.client import Client, Reply
    from gonogo_server.repair.base import Document
    from gonogo_server.repair.quirks import Quirks
    from gonogo_server.surfaces.relaying import Relay

    Asked: TypeAlias = CreateResponseRequest | CreateMessageRequest | CountMessageTokensRequest

SURFACES: Final[Mapping[str, Surface]] = {
    "/responses": "responses",
    "/responses/input_tokens": "responses",
    "/messages": "messages",
    "/messages/count_tokens": "messages",
}
"""The surface of each path."""
TRANSLATED: Final[Mapping[Surface, Does]] = {
    "responses": Does.TRANSLATE_RESPONSES,
    "messages": Does.TRANSLATE_MESSAGES,
}
NO_SUCH_PATH: Final = frozenset({404, 405, 501})
"""Statuses for a path that a server does not have."""
REFUSED: Final = frozenset({400, 422})
"""Statuses for an invalid request, which show that the path exists."""


class NoSuchPathError(Exception):
    """The upstream does not seem to have the path."""


@dataclass(slots=True)
class Relaying:
    """Forwards requests to the endpoints that the upstream has. `patience` as for `begun`.

    `surfaces` names what it has; "auto": an endpoint is tried until it is known whether it is there.
    """

    client: Client
    quirks: Quirks
    surfaces: Surfaces = "auto"
    patience: float | None = None
    found: dict[str, bool] = field(default_factory=dict)
    """Whether the upstream has a path, as far as it was tried."""

    async def answer(
        self, path: str, body: Asked, context: Context, relay: Relay | None = None
    ) -> Answer | None:
        """The upstream's answer, with a `relay` a stream; None if the upstream does not seem to have the path.

        Raises the upstream's error.
        """
        known = self._known(path, body.model)
        if known is False:
            return None
        exchange = _Exchange(self, path, body.model, context, sure=known is True)
        try:
            if relay is None:
                return await exchange.whole()
            return await begun(exchange.events(relay), self.patience if known else None, relay)
        except NoSuchPathError:
            return None

    def translated(self, path: str, model: str, answer: Answer) -> None:
        """Remember that the upstream lacks a path: it answered 404, and a chat completion for the same model works."""
        works = isinstance(answer, Body) or answer.first.done()
        if works and self.surfaces == "auto" and not self._broken(path, model):
            self.found[path] = False

    def _known(self, path: str, model: str) -> bool | None:
        """Whether the upstream has the path; None if it is not known yet."""
        surface = SURFACES[path]
        if self.surfaces != "auto":
            return surface in self.surfaces
        if self._broken(path, model) or self.found.get(f"/{surface}") is False:
            return False
        return self.found.get(path)

    def _broken(self, path: str, model: str) -> bool:
        """Whether the report says that the path is missing or breaks the contract."""
        return TRANSLATED[SURFACES[path]] in self.quirks.of(model).does


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One forwarded request, and its answer."""

    relaying: Relaying
    path: str
    model: str
    context: Context
    sure: bool
    """Whether the upstream has the path."""

    async def whole(self) -> Body:
        """The answer as one body. Raises `UpstreamError` if it is an error or not a JSON object."""
        client = self.relaying.client
        async with client.asked(
            "POST", self.path, self._content(), self.context.request_id, self.context.headers
        ) as reply:
            await self._check(reply)
            data = await reply.body()
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise UpstreamError(
                "The upstream's answer is no JSON object: ask again.", code="upstream_unreadable"
            )
        if document.get("type") == "error" and (failure := error_in(document, client.hidden)):
            raise failure
        if document.get("status") == "failed":
            check_hidden(data, client.hidden)
        _note(document.get("usage"))
        return Body(data)

    async def events(self, relay: Relay) -> AsyncGenerator[bytes, None]:
        """The events of the answer. Raises a `ServerError` after the last good one."""
        client = self.relaying.client
        exchange = current()
        async with client.asked(
            "POST", self.path, self._content(), self.context.request_id, self.context.headers
        ) as reply:
            await self._check(reply)
            async with aclosing(_read(reply, relay)) as coming:
                async for events in coming:
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
        found = self.relaying.found
        if 200 <= reply.status < 300:
            found[self.path] = True
            return
        hidden = self.relaying.client.hidden
        error = upstream_error(reply.status, reply.headers, await reply.start(), hidden)
        if reply.status in REFUSED:
            found[self.path] = True
        elif not self.sure and reply.status in NO_SUCH_PATH and error.code != "model_not_found":
            raise NoSuchPathError
        raise error


async def _read(reply: Reply, relay: Relay) -> AsyncGenerator[bytes, None]:
    """The events, those of one read together. A connection that breaks after the terminal event is no error."""
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
        if rest := relay.finish():
            yield rest
        if not relay.over:
            raise UpstreamError(
                "The upstream's answer ended before it was finished: try again.", code="upstream_incomplete"
            )


def _note(usage: object) -> None:
    """Remember the usage for the log."""
    if isinstance(usage, dict):
        exchange = current()
        exchange.prompt_tokens = count(usage.get("input_tokens"))
        exchange.completion_tokens = count(usage.get("output_tokens"))
