"""Another server as a provider: broken answers are repaired, missing features are emulated or refused by name."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import uuid4

from gonogo_server.answers.written import Body, begun
from gonogo_server.errors import NotTranslated
from gonogo_server.exchange import current
from gonogo_server.providers.base import ChatOnly
from gonogo_server.providers.upstream.answering import frames, upstream_requests, whole
from gonogo_server.providers.upstream.endpoints import Endpoints
from gonogo_server.providers.upstream.models import Models
from gonogo_server.providers.upstream.relaying import Relaying
from gonogo_server.providers.upstream.translating import Translating
from gonogo_server.repair.base import Requested
from gonogo_server.repair.documents import body as written
from gonogo_server.repair.plan import plan
from gonogo_server.requests import params
from gonogo_server.requests.checks import check_agreement
from gonogo_server.surfaces.messages import translation as of_message
from gonogo_server.surfaces.messages.relaying import MessageRelay
from gonogo_server.surfaces.responses import translation as of_response
from gonogo_server.surfaces.responses.echo import echo
from gonogo_server.surfaces.responses.relaying import ResponseRelay

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gonogo_wire import (
        CountMessageTokensRequest,
        CreateChatCompletionRequest,
        CreateCompletionRequest,
        CreateEmbeddingRequest,
        CreateMessageRequest,
        CreateResponseRequest,
        Model,
    )

    from gonogo_server.answers.written import Answer
    from gonogo_server.presets import Limit
    from gonogo_server.provider_settings import Surfaces
    from gonogo_server.providers.base import Context
    from gonogo_server.providers.upstream.client import Client
    from gonogo_server.repair.base import Document, Operation
    from gonogo_server.repair.quirks import Quirks
    from gonogo_server.surfaces.relaying import Relay
    from gonogo_server.surfaces.translation import Translation

    Request = TypeVar("Request", CreateResponseRequest, CreateMessageRequest)

ID: Final[Mapping[Operation, str]] = {"chat": "chatcmpl-", "completion": "cmpl-", "embedding": ""}


class Upstream(ChatOnly):
    """Sends requests to an upstream through `client`; `quirks` are its observed defects. `patience` as for `begun`.

    `surfaces` as in the settings; `limit` is the upstream's name for the token limit of a chat completion.
    """

    strict = False
    alive = True
    """It may become available at any time."""

    def __init__(
        self,
        name: str,
        client: Client,
        quirks: Quirks,
        patience: float | None = None,
        surfaces: Surfaces = "auto",
        limit: Limit = "max_tokens",
    ) -> None:
        self._name, self._client, self._quirks, self._patience = name, client, quirks, patience
        self._models = models = Models(name, client, quirks)
        self._relaying = Relaying(client, Endpoints(quirks, surfaces), patience)
        self._translating = Translating(client, quirks, models, limit, patience)

    def described(self) -> Sequence[str]:
        """The address of the upstream, and what is known about it."""
        known = len(self._quirks.table())
        told = (
            f"{known} known broken {'rule' if known == 1 else 'rules'}"
            if known
            else f"no known broken rules: run gonogo check URL --json FILE, then add --quirks {self._name}=FILE"
        )
        return [f"{self._name}/… from {url} ({told})" for url in self._client.urls]

    def quirks(self) -> Sequence[tuple[str, str, str]]:
        """The repairs of its defects."""
        return self._quirks.table()

    async def list_models(self, context: Context) -> Sequence[Model]:
        """The models that the upstream lists; the checked ones if it is known to have no such list."""
        return await self._models.list(context)

    async def retrieve_model(self, model_id: str, context: Context) -> Model:
        """One model; from the list if the upstream cannot retrieve a single one. Raises `ModelNotFound`."""
        return await self._models.retrieve(model_id, context)

    async def create_chat_completion(self, body: CreateChatCompletionRequest, context: Context) -> Answer:
        """The upstream's answer."""
        check_agreement(body)
        requested = self._requested(
            "chat",
            body.model,
            stream=bool(body.stream),
            include_usage=params.include_usage(body),
            choices=params.choices(body),
            logprobs=params.chat_logprobs(body) is not None,
            tools=bool(body.tools),
        )
        return await self._answer(requested, context)

    async def create_completion(self, body: CreateCompletionRequest, context: Context) -> Answer:
        """The upstream's answer."""
        check_agreement(body)
        requested = self._requested(
            "completion",
            body.model,
            stream=bool(body.stream),
            include_usage=params.include_usage(body),
            choices=len(params.prompts(body)) * params.choices(body),
            logprobs=params.completion_logprobs(body) is not None,
        )
        return await self._answer(requested, context)

    async def create_embeddings(self, body: CreateEmbeddingRequest, context: Context) -> Body:
        """The upstream's answer."""
        answer = await self._answer(
            self._requested(
                "embedding",
                body.model,
                inputs=params.inputs(body),
                base64=params.encoding(body) == "base64",
            ),
            context,
        )
        assert isinstance(answer, Body)
        return answer

    async def create_response(self, body: CreateResponseRequest, context: Context) -> Answer:
        """The upstream's response, or a translated chat completion."""
        echoed = await context.beside(echo, body) if body.stream else None
        relay = None if echoed is None else ResponseRelay(echoed, self._client.hidden)
        return await self._forwarded("/responses", body, context, relay, of_response.translation)

    async def count_response_input_tokens(self, body: CreateResponseRequest, context: Context) -> Body:
        """The upstream's count. Raises `NotTranslated` if it has none."""
        return await self._counted("/responses/input_tokens", body, context)

    async def create_message(self, body: CreateMessageRequest, context: Context) -> Answer:
        """The upstream's message, or a translated chat completion."""
        relay = MessageRelay(self._client.hidden) if body.stream else None
        return await self._forwarded("/messages", body, context, relay, of_message.translation)

    async def count_message_tokens(self, body: CountMessageTokensRequest, context: Context) -> Body:
        """The upstream's count. Raises `NotTranslated` if it has none."""
        return await self._counted("/messages/count_tokens", body, context)

    async def close(self) -> None:
        """Close all connections to the upstream."""
        await self._client.close()

    def _requested(self, operation: Operation, model_id: str, **rest: Any) -> Requested:  # noqa: ANN401 - its own
        current().provider = self._name
        return Requested(
            operation, model_id, fresh_id=ID[operation] + uuid4().hex, now=int(time.time()), **rest
        )

    async def _answer(self, requested: Requested, context: Context) -> Answer:
        async with self._models.known(requested.model, context):
            document: Document = json.loads(context.raw)
            as_it_came = document["model"] == requested.model
            document["model"] = requested.model
            made = plan(document, requested, self._quirks.of(requested.model), current().repaired)
            requests = upstream_requests(
                self._client, made, context.request_id, context.raw if as_it_came else None
            )
            if requested.stream:
                return await begun(frames(made, requests), self._patience)
            return Body(written(await whole(made, requests)))

    async def _forwarded(
        self,
        path: str,
        body: Request,
        context: Context,
        relay: Relay | None,
        translation: Callable[[Request], Translation],
    ) -> Answer:
        """The upstream's own answer, or a translated chat completion if it does not have the path."""
        current().provider = self._name
        answer = await self._relaying.answer(path, body, context, relay)
        if answer is None:
            made = await context.beside(translation, body)
            answer = await self._translated(made, context)
            self._relaying.translated(path, body.model, answer)
        return answer

    async def _translated(self, made: Translation, context: Context) -> Answer:
        chat = made.chat
        requested = self._requested(
            "chat",
            chat.model,
            stream=made.stream,
            include_usage=self._translating.counts(made),
            logprobs=params.chat_logprobs(chat) is not None,
            tools=bool(chat.tools),
        )
        return await self._translating.answer(made, requested, context)

    async def _counted(
        self, path: str, body: CreateResponseRequest | CountMessageTokensRequest, context: Context
    ) -> Body:
        current().provider = self._name
        answer = await self._relaying.answer(path, body, context)
        if answer is None:
            raise NotTranslated(
                "The server of this provider cannot count the tokens of a request: leave the count out, and read the"
                " usage of an answer."
            )
        assert isinstance(answer, Body), "a count is not a stream"
        return answer
