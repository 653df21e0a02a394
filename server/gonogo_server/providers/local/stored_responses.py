"""Stored responses: saved when they end, then retrieved, deleted and continued by their id."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from gonogo_wire import CreateResponseRequest
from pydantic_core import to_json

from gonogo_server import events
from gonogo_server.answers.written import Body
from gonogo_server.errors import BadRequest, NoResponseStore, ResponseNotFound, StoreFailed
from gonogo_server.requests.params import given
from gonogo_server.response_store.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_wire import ResponseInputItem

    from gonogo_server.answers.stream import Counted
    from gonogo_server.providers.base import Context
    from gonogo_server.response_store.sqlite import ResponseStore
    from gonogo_server.surfaces.responses.writer import ResponseWriter

    Turns: TypeAlias = Sequence[tuple[str, str]]


async def retrieve(store: ResponseStore | None, response_id: str, context: Context) -> Body:
    """The response as it ended. Raises `ResponseNotFound`, or `NoResponseStore` without a store."""
    if store is None:
        raise NoResponseStore
    found = await store.find(response_id, context.owner)
    if found is None:
        raise ResponseNotFound(response_id)
    return Body(found)


async def delete(store: ResponseStore | None, response_id: str, context: Context) -> Body:
    """Delete it. Raises as `retrieve` does."""
    if store is None:
        raise NoResponseStore
    if not await store.delete(response_id, context.owner):
        raise ResponseNotFound(response_id)
    return Body(to_json({"id": response_id, "object": "response", "deleted": True}))


async def turns_before(
    store: ResponseStore | None, body: CreateResponseRequest, context: Context
) -> Turns | None:
    """The conversation before the input of a request, as the store has it; None without a store.

    Raises `BadRequest` where the previous response is not stored.
    """
    if store is None:
        return None
    previous = given(body.previous_response_id, None)
    if previous is None:
        return ()
    turns = await store.turns(previous, context.owner)
    if turns is None:
        raise BadRequest(
            f"The response '{previous}' cannot be continued: it, or one before it, was not stored for this key, was"
            " deleted, or has expired. Send the whole conversation in 'input'.",
            param="previous_response_id",
            code="previous_response_not_found",
        )
    return turns


def items_of(turns: Turns, model: str) -> Sequence[ResponseInputItem]:
    """The items of a conversation."""
    items = [item for asked, said in turns for item in (*json.loads(asked), *json.loads(said)["output"])]
    before = CreateResponseRequest.model_validate({"model": model, "input": items}).input
    assert not isinstance(before, str), "it was made of items"
    return before


class Saving:
    """Saves the response to one request, which `telling` tells."""

    def __init__(
        self, store: ResponseStore, body: CreateResponseRequest, context: Context, telling: ResponseWriter
    ) -> None:
        self._store = store
        self._owner = context.owner
        self._previous = given(body.previous_response_id, None)
        self._input = json.dumps(_items(body))
        self._telling = telling

    async def save(self, counted: Counted) -> None:
        """Save it. If it is too large or the store fails, the response says that it is not stored: it is not lost."""
        response = self._telling.finished(counted)
        written = to_json(response).decode()
        record = Record(response["id"], self._owner, self._previous, self._input, written)
        try:
            stored = await self._store.save(record)
        except StoreFailed as error:
            stored = False
            events.response_not_stored(str(error))
        if not stored:
            self._telling.not_stored()


def _items(body: CreateResponseRequest) -> list[Any]:
    """The input as items."""
    if isinstance(body.input, str):
        return [{"type": "message", "role": "user", "content": body.input}]
    dumped = body.model_dump(mode="json", by_alias=True, exclude_unset=True, include={"input"})
    items: list[Any] = dumped["input"]
    return items
