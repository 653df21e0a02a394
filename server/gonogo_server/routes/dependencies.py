"""What routes are given: the engine, the checked key, and the body as its model."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel

from gonogo_server.engine.base import Engine
from gonogo_server.errors import BodyTooLarge, Draining, Overloaded
from gonogo_server.operations.exchange import current
from gonogo_server.operations.observation import started
from gonogo_server.requests.auth import check_key
from gonogo_server.requests.body import parse
from gonogo_server.requests.bounds import Bounds
from gonogo_server.routes.beside import beside

if TYPE_CHECKING:
    from gonogo_server.operations.traffic import Traffic
    from gonogo_server.settings import Settings

DISCARDED: Final = 4
"""How many times the limit is read of a body that is over it."""

Body = TypeVar("Body", bound=BaseModel)


async def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


EngineDependency = Annotated[Engine, Depends(_engine)]


async def admitted(request: Request) -> None:
    """Raise `Draining` where the server is about to stop, `Overloaded` where too many wait already.

    What is counted is requests and not answers, so that one with many choices is taken whole or not at all.
    """
    traffic: Traffic = request.app.state.traffic
    settings: Settings = request.app.state.settings
    if traffic.draining:
        raise Draining
    # This one is among the open ones.
    if request.method == "POST" and traffic.open > settings.max_running + settings.max_queue:
        raise Overloaded(f"{settings.max_queue} requests wait already: try again in a second.")


async def authorized(request: Request) -> None:
    """Raise `Unauthorized` where the settings want a key and the request has another or none."""
    settings: Settings = request.app.state.settings
    check_key(settings.api_key, request.headers.get("authorization"))


def json_body(model: type[Body]) -> Callable[[Request], Awaitable[Body]]:
    """A dependency that reads the body as `model`; see `gonogo_server.requests.body.parse` for what it raises."""

    async def read(request: Request) -> Body:
        settings: Settings = request.app.state.settings
        raw = await _read(request, settings.max_body_bytes)
        content_type = request.headers.get("content-type")
        request.state.body_bytes = len(raw)
        body = await beside(request, parse, raw, content_type, model, _bounds(settings))
        exchange = current()
        exchange.model = getattr(body, "model", None)
        exchange.stream = bool(getattr(body, "stream", False))
        started(request.scope, exchange, _prompt(body) if settings.log_prompts else None)
        return body

    return read


def _bounds(settings: "Settings") -> Bounds:
    return Bounds(settings.max_json_depth, settings.max_json_parts, settings.max_json_values)


def _prompt(body: BaseModel) -> object:
    """What is asked, of a body of any operation."""
    return body.model_dump(mode="json", include={"messages", "prompt", "suffix", "input"}, by_alias=True)


async def _read(request: Request, limit: int) -> bytes:
    """The whole body.

    Of one that is too large, `DISCARDED` times the limit are read as well, and thrown away: a client that still
    sends would see its connection reset instead of the answer. Starlette's own limit is not used, as it answers in
    plain text.
    """
    kept = bytearray()
    size = 0
    async for part in request.stream():
        size += len(part)
        if size <= limit:
            kept += part
        elif size > limit * (1 + DISCARDED):
            break
    if size > limit:
        raise BodyTooLarge(
            f"The body is too large, at most {limit} bytes are taken: send less.", code="request_too_large"
        )
    return bytes(kept)
