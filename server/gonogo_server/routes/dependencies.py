"""What routes are given: the engine, the checked key, and the body as its model."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel

from gonogo_server.auth import check_key
from gonogo_server.body import parse
from gonogo_server.engine.base import Engine
from gonogo_server.errors import BodyTooLarge

if TYPE_CHECKING:
    from gonogo_server.settings import Settings

Body = TypeVar("Body", bound=BaseModel)


async def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


EngineDependency = Annotated[Engine, Depends(_engine)]


async def authorized(request: Request) -> None:
    """Raise `Unauthorized` where the settings want a key and the request has another or none."""
    settings: Settings = request.app.state.settings
    check_key(settings.api_key, request.headers.get("authorization"))


def json_body(model: type[Body]) -> Callable[[Request], Awaitable[Body]]:
    """A dependency that reads the body as `model`; see `gonogo_server.body.parse` for what it raises."""

    async def read(request: Request) -> Body:
        settings: Settings = request.app.state.settings
        raw = await _read(request, settings.max_body_bytes)
        return parse(raw, request.headers.get("content-type"), model)

    return read


async def _read(request: Request, limit: int) -> bytes:
    """The whole body.

    One that is too large is read to its end as well, and thrown away: a client that still sends would see its
    connection reset instead of the answer. Starlette's own limit is not used, as it answers in plain text.
    """
    kept = bytearray()
    size = 0
    async for part in request.stream():
        size += len(part)
        if size <= limit:
            kept += part
    if size > limit:
        raise BodyTooLarge(
            f"The body has {size} bytes, and at most {limit} are taken: send less.", code="request_too_large"
        )
    return bytes(kept)
