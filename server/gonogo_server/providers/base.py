"""The interface of a provider: it serves models and answers requests for them."""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, ParamSpec, Protocol, TypeVar

from gonogo_server.errors import NotTranslated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor

    from gonogo_wire import (
        CountMessageTokensRequest,
        CreateChatCompletionRequest,
        CreateCompletionRequest,
        CreateEmbeddingRequest,
        CreateMessageRequest,
        CreateResponseRequest,
        Model,
    )

    from gonogo_server.answers.written import Answer, Body

LARGE: Final = 64 * 2**10
"""Bytes of a body from which on a thread works on it: 300,000 token ids take 0.1 s, and streams must continue."""

STORED: Final = (
    "Stored responses of this provider are not read or deleted through this server: keep what you need of an"
    " answer."
)

Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Context:
    """What belongs to a request beside its body.

    Cancelling the task that asks a provider cancels the request, which is how a deadline ends it.
    """

    request_id: str = ""
    raw: bytes = b""
    """The body as it came; empty if no provider wants it."""
    body_bytes: int = 0
    thread: Executor | None = None
    """Where the work for large requests is done."""
    owner: str = ""
    """A hash of the API key: what is stored for one key is not there for another."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the client that go on with a request that is forwarded unchanged."""

    async def beside(
        self, work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
    ) -> Result:
        """What `work` gives or raises, on the thread where the body of the request is large.

        Small requests are worked on where they are, as another thread costs more than they do.
        """
        if self.thread is None or self.body_bytes <= LARGE:
            return work(*args, **kwargs)
        context = copy_context()
        return await asyncio.get_running_loop().run_in_executor(
            self.thread, lambda: context.run(work, *args, **kwargs)
        )


class Provider(Protocol):
    """Serves models. Requests are wire models; answers are written already, as chunks are that a provider passes on.

    Every operation raises a `ServerError` for what it refuses or cannot do, before a stream begins or within it.
    """

    strict: bool
    """Whether requests with fields that the contract does not know are refused."""

    @property
    def alive(self) -> bool:
        """Whether it can answer, as far as is known here."""

    def described(self) -> Sequence[str]:
        """What it serves, a line each, for people."""

    def quirks(self) -> Sequence[tuple[str, str, str]]:
        """The ids of the rules that it is known to break, each with what is done about it: a word, and a sentence."""

    async def list_models(self, context: Context) -> Sequence[Model]:
        """Every model that is served, in the order in which they are listed."""

    async def retrieve_model(self, model: str, context: Context) -> Model:
        """One of them, by its id. Raises `ModelNotFound`."""

    async def create_chat_completion(self, body: CreateChatCompletionRequest, context: Context) -> Answer:
        """The next message of a conversation."""

    async def create_completion(self, body: CreateCompletionRequest, context: Context) -> Answer:
        """What follows a text, or each of several."""

    async def create_embeddings(self, body: CreateEmbeddingRequest, context: Context) -> Body:
        """A vector for each input."""

    async def create_response(self, body: CreateResponseRequest, context: Context) -> Answer:
        """The next items of a conversation."""

    async def count_response_input_tokens(self, body: CreateResponseRequest, context: Context) -> Body:
        """How many tokens the prompt of such a request has."""

    async def retrieve_response(self, response_id: str, context: Context) -> Body:
        """A stored response. Raises `ResponseNotFound`, or `NoResponseStore`."""

    async def delete_response(self, response_id: str, context: Context) -> Body:
        """Delete a stored response. Raises as `retrieve_response` does."""

    async def create_message(self, body: CreateMessageRequest, context: Context) -> Answer:
        """The next message of a conversation, in the form of the Messages API."""

    async def count_message_tokens(self, body: CountMessageTokensRequest, context: Context) -> Body:
        """How many tokens the prompt of such a request has."""

    async def close(self) -> None:
        """End what is open; requests that are open fail."""


class ChatOnly:
    """What a provider inherits that is not asked for responses and messages: each is refused with `NotTranslated`."""

    async def create_response(self, body: CreateResponseRequest, context: Context) -> Answer:
        """Refused."""
        del body, context
        raise NotTranslated

    async def count_response_input_tokens(self, body: CreateResponseRequest, context: Context) -> Body:
        """Refused."""
        del body, context
        raise NotTranslated

    async def retrieve_response(self, response_id: str, context: Context) -> Body:
        """Refused: what an upstream stores belongs to the key of this server, and not to the client's."""
        del response_id, context
        raise NotTranslated(STORED)

    async def delete_response(self, response_id: str, context: Context) -> Body:
        """Refused, as `retrieve_response` is."""
        del response_id, context
        raise NotTranslated(STORED)

    async def create_message(self, body: CreateMessageRequest, context: Context) -> Answer:
        """Refused."""
        del body, context
        raise NotTranslated

    async def count_message_tokens(self, body: CountMessageTokensRequest, context: Context) -> Body:
        """Refused."""
        del body, context
        raise NotTranslated
