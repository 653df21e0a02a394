"""Another server as a provider: what it breaks is repaired, emulated or refused by name."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote
from uuid import uuid4

from gonogo_wire import Model, ModelList
from pydantic import ValidationError

from gonogo_server.answers.written import Body, begun
from gonogo_server.errors import ModelNotFound, ServerError, UpstreamError
from gonogo_server.exchange import current
from gonogo_server.providers.base import ChatOnly
from gonogo_server.providers.upstream.asking import Asking
from gonogo_server.providers.upstream.joining import joined, one
from gonogo_server.repair.base import Asked
from gonogo_server.repair.body import read
from gonogo_server.repair.documents import body, frame
from gonogo_server.repair.errors import for_client, upstream_error
from gonogo_server.repair.models import model, model_list
from gonogo_server.repair.plan import plan
from gonogo_server.repair.table.row import Does
from gonogo_server.requests import params
from gonogo_server.requests.checks import check_agreement

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from gonogo_wire import (
        CreateChatCompletionRequest,
        CreateCompletionRequest,
        CreateEmbeddingRequest,
    )

    from gonogo_server.answers.written import Answer
    from gonogo_server.providers.base import Context
    from gonogo_server.providers.upstream.client import Client
    from gonogo_server.repair.base import Document, Operation
    from gonogo_server.repair.plan import Plan
    from gonogo_server.repair.quirks import Quirks

PATHS: Final[Mapping[Operation, str]] = {
    "chat": "/chat/completions",
    "completion": "/completions",
    "embedding": "/embeddings",
}
NO_MODEL_ALONE: Final = frozenset({"upstream_unreadable", "model_not_found", "unknown_url", None})
"""Codes of an upstream that does not give a model alone: it has no such route, or another answer there."""
UNREACHED: Final = frozenset({"upstream_unreachable", "upstream_timeout", "upstream_refused_key"})
"""Codes of an upstream that did not say anything about its models."""
LIST_SECONDS: Final = 10.0
"""How long a list of models is taken for the upstream's."""
ID: Final[Mapping[Operation, str]] = {"chat": "chatcmpl-", "completion": "cmpl-", "embedding": ""}


class Upstream(ChatOnly):
    """Asks an upstream through `client`; `quirks` say what it was seen to break. `patience` as for `begun`."""

    strict = False
    alive = True
    """It may be back at any time."""

    def __init__(self, name: str, client: Client, quirks: Quirks, patience: float | None = None) -> None:
        self._since = int(time.time())
        self._listed: tuple[float, frozenset[str]] | None = None
        self._name, self._client, self._quirks, self._patience = name, client, quirks, patience

    def described(self) -> Sequence[str]:
        """Where requests go, and what is known of it."""
        known = len(self._quirks.table())
        told = (
            f"{known} known broken rules"
            if known
            else f"no known broken rules: run gonogo check URL --json FILE, then add --quirks {self._name}=FILE"
        )
        return [f"{self._name}/… from {url} ({told})" for url in self._client.urls]

    def quirks(self) -> Sequence[tuple[str, str, str]]:
        """What is done about what it breaks."""
        return self._quirks.table()

    async def list_models(self, context: Context) -> Sequence[Model]:
        """The models that the upstream lists; those that were checked where it is known to give no such list."""
        instead = self._quirks.rule(Does.LISTED_IN_REPORT)
        try:
            listed = await self._list(context)
        except UpstreamError as error:
            if instead is None or error.code in UNREACHED:
                raise for_client(error, self._client.hidden) from None
            listed = ()
        if listed or instead is None:
            return listed
        current().repaired(instead)
        return [
            Model(id=name, object="model", created=self._since, owned_by=self._name)
            for name in self._quirks.checked
        ]

    async def _list(self, context: Context) -> Sequence[Model]:
        document = model_list(
            await self._got("/models", context), current().repaired, owner=self._name, since=self._since
        )
        try:
            return ModelList.model_validate(document).data
        except ValidationError:
            raise UpstreamError("The upstream's model list cannot be read.") from None

    async def retrieve_model(self, model_id: str, context: Context) -> Model:
        """One of them; where the upstream does not give one alone, out of its list. Raises `ModelNotFound`."""
        instead = self._quirks.rule(Does.RETRIEVED_FROM_LIST)
        if instead is not None:
            current().repaired(instead)
            return _found(await self.list_models(context), model_id)
        try:
            document = await self._got(f"/models/{quote(model_id, safe='')}", context)
            return Model.model_validate(
                model(document, current().repaired, owner=self._name, since=self._since)
            )
        except (ModelNotFound, ValidationError, UpstreamError) as error:
            if isinstance(error, UpstreamError) and error.code not in NO_MODEL_ALONE:
                raise for_client(error, self._client.hidden) from None
            listed = await self.list_models(context)
        found = _found(listed, model_id)
        current().repaired("models.retrieve.found")
        return found

    async def create_chat_completion(self, body: CreateChatCompletionRequest, context: Context) -> Answer:
        """The upstream's answer."""
        check_agreement(body)
        asked = self._asked(
            "chat",
            body.model,
            stream=bool(body.stream),
            include_usage=params.include_usage(body),
            choices=params.choices(body),
            logprobs=params.chat_logprobs(body) is not None,
            tools=bool(body.tools),
        )
        return await self._answer(asked, context)

    async def create_completion(self, body: CreateCompletionRequest, context: Context) -> Answer:
        """The upstream's answer."""
        check_agreement(body)
        asked = self._asked(
            "completion",
            body.model,
            stream=bool(body.stream),
            include_usage=params.include_usage(body),
            choices=len(params.prompts(body)) * params.choices(body),
            logprobs=params.completion_logprobs(body) is not None,
        )
        return await self._answer(asked, context)

    async def create_embeddings(self, body: CreateEmbeddingRequest, context: Context) -> Body:
        """The upstream's answer."""
        answer = await self._answer(
            self._asked(
                "embedding",
                body.model,
                inputs=params.inputs(body),
                base64=params.encoding(body) == "base64",
            ),
            context,
        )
        assert isinstance(answer, Body)
        return answer

    async def close(self) -> None:
        """Close all connections to the upstream."""
        await self._client.close()

    def _asked(self, operation: Operation, model_id: str, **asked: Any) -> Asked:  # noqa: ANN401 - Asked's own
        current().provider = self._name
        return Asked(operation, model_id, fresh_id=ID[operation] + uuid4().hex, now=int(time.time()), **asked)

    async def _answer(self, asked: Asked, context: Context) -> Answer:
        if self._quirks.rule(Does.LISTED_ALONE) is not None and not await self._lists(asked.model, context):
            raise _not_found(asked.model)
        try:
            return await self._asked_for(asked, context)
        except UpstreamError as error:
            if error.status == 404 and error.code is None and await self._lacks(asked.model, context):
                raise _not_found(asked.model) from None
            raise

    async def _lacks(self, model_id: str, context: Context) -> bool:
        """Whether the upstream has a list of models, and this one is not in it."""
        try:
            return not await self._lists(model_id, context)
        except ServerError:
            return False

    async def _lists(self, model_id: str, context: Context) -> bool:
        """Whether the upstream lists a model; the list is requested at most every few seconds."""
        now = asyncio.get_running_loop().time()
        if self._listed is None or now > self._listed[0] + LIST_SECONDS:
            self._listed = now, frozenset(each.id for each in await self.list_models(context))
        return model_id in self._listed[1]

    async def _asked_for(self, asked: Asked, context: Context) -> Answer:
        document: Document = json.loads(context.raw)
        named = document["model"]
        document["model"] = asked.model
        made = plan(document, asked, self._quirks.of(asked.model), current().repaired)
        path, request_id = PATHS[asked.operation], context.request_id
        askings = [
            Asking(self._client, path, made, number, request_id, _as_it_came(made, number, context, named))
            for number in range(len(made.requests))
        ]
        if asked.stream:
            return await begun(_frames(made, askings), self._patience)
        bodies = await _all([_whole(made, asking) for asking in askings])
        joiner = made.joiner()
        whole = bodies[0] if joiner is None else joiner.whole(bodies)
        _count(whole)
        return Body(body(whole))

    async def _got(self, path: str, context: Context) -> Document:
        """What a GET answers. Raises the upstream's error, and `UpstreamError` for what is not a JSON object."""
        current().provider = self._name
        async with self._client.asked("GET", path, request_id=context.request_id) as reply:
            if reply.status in {404, 405} and path != "/models":
                raise ModelNotFound("The upstream does not know it.", param="model", code="model_not_found")
            if not 200 <= reply.status < 300:
                raise upstream_error(reply.status, reply.headers, await reply.start(), self._client.hidden)
            data = await reply.body()
        return read(data, current().repaired)


def _found(listed: Sequence[Model], model_id: str) -> Model:
    """The model of this id. Raises `ModelNotFound`."""
    found = next((each for each in listed if each.id == model_id), None)
    if found is None:
        raise _not_found(model_id)
    return found


def _not_found(model_id: str) -> ModelNotFound:
    return ModelNotFound(
        f"There is no model '{model_id}': GET /v1/models lists the available models.",
        param="model",
        code="model_not_found",
    )


def _as_it_came(made: Plan, number: int, context: Context, named: str) -> bytes | None:
    """The bytes of the client's request, where they are what is sent."""
    same = made.requests[number] is made.document and named == made.asked.model
    return context.raw if same else None


async def _all(coming: Sequence[Any]) -> list[Document]:
    """What all of them give; the first that fails ends the others."""
    tasks = [asyncio.ensure_future(each) for each in coming]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _whole(made: Plan, asking: Asking) -> Document:
    """A whole answer, also where a stream is requested from the upstream."""
    if not made.asked.stream:
        return await asking.whole()
    async with aclosing(one(asking)) as coming:
        return made.fold([chunk async for chunks in coming for chunk in chunks])


async def _frames(made: Plan, askings: Sequence[Asking]) -> AsyncGenerator[bytes, None]:
    """The events of a stream, also where the upstream is requested whole answers."""
    if not made.asked.stream:
        bodies = await _all([asking.whole() for asking in askings])
        joiner = made.joiner()
        whole = bodies[0] if joiner is None else joiner.whole(bodies)
        _count(whole)
        yield b"".join(map(frame, made.chunks(whole)))
        return
    joiner = made.joiner()
    coming = one(askings[0]) if joiner is None else joined(askings, joiner)
    exchange = current()
    async with aclosing(coming):
        async for chunks in coming:
            for chunk in chunks:
                if chunk.get("usage"):
                    _count(chunk)
            if exchange.first_token_seconds is None:
                exchange.first_token_seconds = exchange.seconds
            yield b"".join([frame(chunk) for chunk in chunks])


def _count(document: Document) -> None:
    """Note the tokens for the log."""
    usage = document.get("usage")
    if isinstance(usage, dict):
        exchange = current()
        exchange.prompt_tokens = usage.get("prompt_tokens") or 0
        exchange.completion_tokens = usage.get("completion_tokens") or 0
