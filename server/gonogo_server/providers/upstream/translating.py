"""Answers requests for responses and messages with chat completions of an upstream."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo_server.errors import UpstreamError
from gonogo_server.exchange import current
from gonogo_server.providers.upstream.answering import askings, chunks, whole
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
    from gonogo_server.repair.base import Asked, Document
    from gonogo_server.repair.plan import Plan
    from gonogo_server.repair.quirks import Quirks
    from gonogo_server.surfaces.translation import Translation


@dataclass(frozen=True, slots=True)
class Translating:
    """Asks an upstream for chat completions. `limit` is its name for the token limit; `patience` as for `begun`."""

    client: Client
    quirks: Quirks
    models: Models
    limit: Limit
    patience: float | None

    def counts(self, made: Translation) -> bool:
        """Whether a stream asks for its usage; not if the upstream is known to have none."""
        return made.stream and Does.REFUSE_USAGE not in self.quirks.of(made.chat.model).does

    async def answer(self, made: Translation, asked: Asked, context: Context) -> Answer:
        """The answer in the form of the client's API. Errors name the client's fields."""
        steps = self._steps(made, asked, context)
        return await respond(steps, made.telling, stream=made.stream, patience=self.patience)

    async def _steps(
        self, made: Translation, asked: Asked, context: Context
    ) -> AsyncGenerator[list[Step], None]:
        answer = ChatAnswer(made.stops)
        with named(made.names):
            check_agreement(made.chat)
            async with (
                self.models.known(asked.model, context),
                aclosing(self._coming(made, asked, context)) as coming,
            ):
                async for some in coming:
                    if steps := answer.take(some):
                        yield steps
            yield answer.end()

    async def _coming(
        self, made: Translation, asked: Asked, context: Context
    ) -> AsyncGenerator[list[Document], None]:
        """The chunks of the answer; the request is sent again as `Translation.after` says."""
        while True:
            begun = False
            try:
                async with aclosing(self._chunks(self._plan(made, asked), context)) as coming:
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

    def _plan(self, made: Translation, asked: Asked) -> Plan:
        quirks = self.quirks.of(asked.model)
        effort = Does.REFUSE_EFFORT not in quirks.does
        document = made.request(self.limit, counted=asked.include_usage, effort=effort)
        return plan(document, asked, quirks, current().repaired)

    async def _chunks(self, made: Plan, context: Context) -> AsyncGenerator[list[Document], None]:
        """The chunks of the answer; a complete answer is a single chunk."""
        asked = askings(self.client, made, context.request_id)
        if not made.client.stream:
            yield [as_chunk(await whole(made, asked))]
            return
        async with aclosing(chunks(made, asked)) as coming:
            async for some in coming:
                yield some
