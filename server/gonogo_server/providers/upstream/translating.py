"""Answers requests for responses and messages with chat completions of an upstream."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo_server.errors import UpstreamError
from gonogo_server.exchange import current
from gonogo_server.providers.upstream.answering import chunks, upstream_requests, whole
from gonogo_server.repair.plan import plan
from gonogo_server.repair.table.row import Does
from gonogo_server.requests.checks import check_agreement
from gonogo_server.surfaces.chat_answer import ChatAnswer, as_chunk
from gonogo_server.surfaces.naming import named
from gonogo_server.surfaces.respond import respond

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from gonogo_server.answers.stream import Step
    from gonogo_server.answers.written import Answer
    from gonogo_server.presets import Limit
    from gonogo_server.providers.base import Context
    from gonogo_server.providers.upstream.client import Client
    from gonogo_server.providers.upstream.models import Models
    from gonogo_server.repair.base import Document, Requested
    from gonogo_server.repair.plan import Plan
    from gonogo_server.repair.quirks import Quirks
    from gonogo_server.surfaces.translation import Translation


@dataclass(frozen=True, slots=True)
class Translating:
    """Gets chat completions from an upstream. `limit` is its name for the token limit; `patience` as for `begun`."""

    client: Client
    quirks: Quirks
    models: Models
    limit: Limit
    patience: float | None

    def counts(self, made: Translation) -> bool:
        """Whether a stream requests usage; False if the upstream is known to report none."""
        return made.stream and Does.REFUSE_USAGE not in self.quirks.of(made.chat.model).does

    async def answer(self, made: Translation, requested: Requested, context: Context) -> Answer:
        """The answer in the form of the client's API. Errors name the client's fields."""
        steps = self._steps(made, requested, context)
        return await respond(steps, made.telling, stream=made.stream, patience=self.patience)

    async def _steps(
        self, made: Translation, requested: Requested, context: Context
    ) -> AsyncGenerator[list[Step], None]:
        answer = ChatAnswer(made.stops)
        with named(made.names):
            check_agreement(made.chat)
            async with (
                self.models.known(requested.model, context),
                aclosing(self._coming(made, requested, context)) as coming,
            ):
                async for some in coming:
                    if steps := answer.take(some):
                        yield steps
            yield answer.end()

    async def _coming(
        self, made: Translation, requested: Requested, context: Context
    ) -> AsyncGenerator[list[Document], None]:
        """The chunks of the answer; the request is sent again as `Translation.after` says."""
        while True:
            begun = False
            try:
                async with aclosing(self._chunks(self._plan(made, requested), context)) as coming:
                    async for some in coming:
                        begun = True
                        yield some
            except UpstreamError as error:
                changed = None if begun else made.after(error)
                if changed is None:
                    raise
                made = changed
            else:
                return

    def _plan(self, made: Translation, requested: Requested) -> Plan:
        quirks = self.quirks.of(requested.model)
        effort = Does.REFUSE_EFFORT not in quirks.does
        document = made.request(self.limit, counted=requested.include_usage, effort=effort)
        return plan(document, requested, quirks, current().repaired)

    async def _chunks(self, made: Plan, context: Context) -> AsyncGenerator[list[Document], None]:
        """The chunks of the answer; a complete answer is a single chunk."""
        requests = upstream_requests(self.client, made, context.request_id)
        if not made.client.stream:
            yield [as_chunk(await whole(made, requests))]
            return
        async with aclosing(chunks(made, requests)) as coming:
            async for some in coming:
                yield some
