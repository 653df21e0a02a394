"""The engine of this process as a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo_wire import Model

from gonogo_server.compilation.compiler import Compiler
from gonogo_server.providers.local import stored_responses
from gonogo_server.providers.local.chat import chat_completion
from gonogo_server.providers.local.completions import completion
from gonogo_server.providers.local.embeddings import embeddings
from gonogo_server.providers.local.means import Means
from gonogo_server.providers.local.messages import message, token_count
from gonogo_server.providers.local.responses import input_tokens, response
from gonogo_server.requests.checks import served

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_wire import (
        CountMessageTokensRequest,
        CreateChatCompletionRequest,
        CreateCompletionRequest,
        CreateEmbeddingRequest,
        CreateMessageRequest,
        CreateResponseRequest,
    )

    from gonogo_server.answers.written import Answer, Body
    from gonogo_server.compilation.worker import Worker
    from gonogo_server.engine.base import Engine, ModelCard
    from gonogo_server.providers.base import Context
    from gonogo_server.response_store.sqlite import ResponseStore
    from gonogo_server.settings import Settings


class Local:
    """Answers with an engine, which is closed with it. `worker` tries schemas, a new one where none is given.

    `store` is closed with it as well; None: no response is stored.
    """

    strict = True

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        worker: Worker | None = None,
        store: ResponseStore | None = None,
    ) -> None:
        self.engine = engine
        self._means = Means(engine, Compiler(settings.schema_limits, worker), settings, store)

    @property
    def alive(self) -> bool:
        """Whether the engine is."""
        return self.engine.alive

    def described(self) -> Sequence[str]:
        """The models."""
        return [
            f"{card.id} ({card.type}, {card.context_length} tokens of context)"
            for card in self.engine.cards()
        ]

    def quirks(self) -> Sequence[tuple[str, str, str]]:
        """None."""
        return ()

    async def list_models(self, context: Context) -> Sequence[Model]:
        """Every model that is served, in the configured order."""
        del context
        return [_model(card) for card in self.engine.cards()]

    async def retrieve_model(self, model: str, context: Context) -> Model:
        """One of them. Raises `ModelNotFound`."""
        del context
        return _model(served(self.engine, model))

    async def create_chat_completion(self, body: CreateChatCompletionRequest, context: Context) -> Answer:
        """See `chat_completion`."""
        return await chat_completion(self._means, body, context)

    async def create_completion(self, body: CreateCompletionRequest, context: Context) -> Answer:
        """See `completion`."""
        return await completion(self._means, body, context)

    async def create_embeddings(self, body: CreateEmbeddingRequest, context: Context) -> Body:
        """See `embeddings`."""
        del context
        return await embeddings(self.engine, body)

    async def create_response(self, body: CreateResponseRequest, context: Context) -> Answer:
        """See `response`."""
        return await response(self._means, body, context)

    async def count_response_input_tokens(self, body: CreateResponseRequest, context: Context) -> Body:
        """See `input_tokens`."""
        return await input_tokens(self._means, body, context)

    async def retrieve_response(self, response_id: str, context: Context) -> Body:
        """See `stored_responses.retrieve`."""
        return await stored_responses.retrieve(self._means.store, response_id, context)

    async def delete_response(self, response_id: str, context: Context) -> Body:
        """See `stored_responses.delete`."""
        return await stored_responses.delete(self._means.store, response_id, context)

    async def create_message(self, body: CreateMessageRequest, context: Context) -> Answer:
        """See `message`."""
        return await message(self._means, body, context)

    async def count_message_tokens(self, body: CountMessageTokensRequest, context: Context) -> Body:
        """See `token_count`."""
        return await token_count(self._means, body, context)

    async def close(self) -> None:
        """Stop the engine; streams that are open end with an error."""
        await self.engine.close()
        if self._means.store is not None:
            await self._means.store.close()


def _model(card: ModelCard) -> Model:
    return Model(
        id=card.id,
        object="model",
        created=card.created,
        owned_by="local",
        type=card.type,
        context_length=card.context_length,
        loaded=card.loaded,
    )
