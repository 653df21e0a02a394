"""The models of an upstream: those that it lists, or the checked ones if it has no list."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from gonogo_wire import Model, ModelList
from pydantic import ValidationError

from gonogo_server.errors import ModelNotFound, ServerError, UpstreamError
from gonogo_server.exchange import current
from gonogo_server.repair.body import read
from gonogo_server.repair.errors import for_client
from gonogo_server.repair.models import model, model_list
from gonogo_server.repair.table.row import Does

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from gonogo_server.providers.base import Context
    from gonogo_server.providers.upstream.client import Client
    from gonogo_server.repair.base import Document
    from gonogo_server.repair.quirks import Quirks

NO_MODEL_ALONE: Final = frozenset({"upstream_unreadable", "model_not_found", "unknown_url", None})
"""Error codes of an upstream that cannot retrieve a single model: the route is missing or returns something else."""
UNREACHED: Final = frozenset({"upstream_unreachable", "upstream_timeout", "upstream_refused_key"})
"""Error codes from which nothing follows about the upstream's models."""
LIST_SECONDS: Final = 10.0
"""Seconds for which a list of models is cached."""


class Models:
    """Requests the models of the upstream with this name."""

    def __init__(self, name: str, client: Client, quirks: Quirks) -> None:
        self._name, self._client, self._quirks = name, client, quirks
        self._since = int(time.time())
        self._listed: tuple[float, frozenset[str]] | None = None

    async def list(self, context: Context) -> Sequence[Model]:
        """The models that the upstream lists; the checked ones if it is known to have no such list."""
        instead = self._quirks.rule(Does.LISTED_IN_REPORT)
        try:
            listed = await self._document(context)
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

    async def _document(self, context: Context) -> Sequence[Model]:
        document = model_list(
            await self._got("/models", context), current().repaired, owner=self._name, since=self._since
        )
        try:
            return ModelList.model_validate(document).data
        except ValidationError:
            raise UpstreamError("The upstream's model list cannot be read.") from None

    async def retrieve(self, model_id: str, context: Context) -> Model:
        """One model; from the list if the upstream cannot retrieve a single one. Raises `ModelNotFound`."""
        instead = self._quirks.rule(Does.RETRIEVED_FROM_LIST)
        if instead is not None:
            current().repaired(instead)
            return _found(await self.list(context), model_id)
        try:
            document = await self._got(f"/models/{quote(model_id, safe='')}", context)
            return Model.model_validate(
                model(document, current().repaired, owner=self._name, since=self._since)
            )
        except (ModelNotFound, ValidationError, UpstreamError) as error:
            if isinstance(error, UpstreamError) and error.code not in NO_MODEL_ALONE:
                raise for_client(error, self._client.hidden) from None
            listed = await self.list(context)
        found = _found(listed, model_id)
        current().repaired("models.retrieve.found")
        return found

    @asynccontextmanager
    async def known(self, model_id: str, context: Context) -> AsyncIterator[None]:
        """Raises `ModelNotFound` if the upstream accepts any name, or answers 404 without naming what is missing."""
        if self._quirks.rule(Does.LISTED_ALONE) is not None and not await self._lists(model_id, context):
            raise _not_found(model_id)
        try:
            yield
        except UpstreamError as error:
            if error.status == 404 and error.code is None and await self.lacks(model_id, context):
                raise _not_found(model_id) from None
            raise

    async def lacks(self, model_id: str, context: Context) -> bool:
        """Whether the upstream has a list of models without this one."""
        try:
            return not await self._lists(model_id, context)
        except ServerError:
            return False

    async def _lists(self, model_id: str, context: Context) -> bool:
        """Whether the upstream lists a model; the list is requested at most every few seconds."""
        now = asyncio.get_running_loop().time()
        if self._listed is None or now > self._listed[0] + LIST_SECONDS:
            self._listed = now, frozenset(each.id for each in await self.list(context))
        return model_id in self._listed[1]

    async def _got(self, path: str, context: Context) -> Document:
        """The answer to a GET. Raises the upstream's error, and `UpstreamError` if the body is not a JSON object."""
        current().provider = self._name
        async with self._client.exchange("GET", path, request_id=context.request_id) as reply:
            if reply.status in {404, 405} and path != "/models":
                raise ModelNotFound("The upstream does not know it.", param="model", code="model_not_found")
            if (error := await self._client.error(reply)) is not None:
                raise error
            data = await reply.body()
        return read(data, current().repaired)


def _found(listed: Sequence[Model], model_id: str) -> Model:
    """The model with this id. Raises `ModelNotFound`."""
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
