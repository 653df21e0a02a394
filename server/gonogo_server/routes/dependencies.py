"""The dependencies of routes: the provider, the checked key, and the parsed body."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel

from gonogo_server.envelope import REQUEST_ID, of_messages
from gonogo_server.errors import BodyTooLarge, Draining, Overloaded, TooSlow, UnsupportedMediaType
from gonogo_server.exchange import current
from gonogo_server.operations.observation import started
from gonogo_server.providers.base import Context, Provider
from gonogo_server.providers.registry import Registry
from gonogo_server.requests.auth import check_key, owner
from gonogo_server.requests.body import check_known, parse
from gonogo_server.requests.bounds import Bounds

if TYPE_CHECKING:
    from gonogo_server.settings import Settings
    from gonogo_server.traffic import Traffic

DISCARDED: Final = 4
"""A body over the limit is read and discarded up to this many times the limit."""

ARRIVING: Final = 32
"""How many bodies of the maximum size may arrive at once: they use memory before they count as queued."""

FORWARDED: Final = ("anthropic-version", "anthropic-beta")
"""Headers that select the form of an answer; a gateway forwards them."""

Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Incoming(Generic[Body]):
    """A request for an operation: its provider, its body (with the provider's model id), and its context."""

    provider: Provider
    body: Body
    context: Context


async def registry(request: Request) -> Registry:
    """All providers."""
    found: Registry = request.app.state.registry
    return found


async def provider_name(request: Request) -> str | None:
    """The name of the provider in the path; None if it has none."""
    return request.path_params.get("provider")


async def context(request: Request) -> Context:
    """The context of a request without a body."""
    return _context(request)


def _context(request: Request, raw: bytes = b"", size: int = 0) -> Context:
    return Context(
        request_id=request.scope.get(REQUEST_ID, ""),
        raw=raw,
        body_bytes=size,
        thread=request.app.state.beside,
        owner=owner(request.headers.get("authorization")),
        headers={name: request.headers[name] for name in FORWARDED if name in request.headers},
    )


async def admitted(request: Request) -> None:
    """Raise `Draining` if the server is about to stop, `Overloaded` if too many requests are queued.

    Requests are counted, not answers, so a request with several choices is accepted or refused as a whole.
    """
    if _traffic(request).draining:
        raise Draining
    if request.method == "POST":
        _check_places(request)


def _check_places(request: Request) -> None:
    settings: Settings = request.app.state.settings
    if _traffic(request).placed >= settings.max_running + settings.max_queue:
        raise Overloaded(f"{settings.max_queue} requests are already queued: try again in a second.")


def _traffic(request: Request) -> "Traffic":
    traffic: Traffic = request.app.state.traffic
    return traffic


async def authorized(request: Request) -> None:
    """Raise `Unauthorized` if the settings require a key and the request has none or a wrong one.

    A request of the Messages API may send it in `x-api-key`, as older clients do.
    """
    sent = request.headers.get("authorization")
    if sent is None and _of_messages(request) and (key := request.headers.get("x-api-key")):
        sent = f"Bearer {key}"
    check_key(request.app.state.keys, sent)


def _of_messages(request: Request) -> bool:
    """Whether a request is one of the Messages API, whose clients send their version with one for the models too."""
    listing = request.method != "POST" and "anthropic-version" in request.headers
    return listing or of_messages(request.scope)


def parsed(model: type[Body], *, tolerant: bool = False) -> Callable[[Request], Awaitable[Incoming[Body]]]:
    """A dependency that parses the body as `model`; raises as `gonogo_server.requests.body.parse` does.

    `tolerant`: fields unknown to the contract are never refused.

    Raises `ProviderNotFound` before the body is read.
    """

    async def read(request: Request) -> Incoming[Body]:
        settings: Settings = request.app.state.settings
        providers = await registry(request)
        name = await provider_name(request)
        providers.named(name)
        _check_encoding(request)
        raw = await _read(request, settings)
        # Only now, because a body may arrive slowly, and a request counts as queued only once it can be answered.
        _check_places(request)
        current().take_place()
        content_type = request.headers.get("content-type")
        strict = providers.strict and not tolerant
        around = _context(request, b"" if providers.strict else raw, len(raw))
        body: Any = await around.beside(parse, raw, content_type, model, _bounds(settings), strict=strict)
        exchange = current()
        exchange.model = body.model
        exchange.stream = bool(getattr(body, "stream", False))
        started(request.scope, exchange, _prompt(body) if settings.log_prompts else None)
        provider, body.model = providers.of_model(name, body.model)
        if provider.strict and not strict and not tolerant:
            await around.beside(check_known, body)
        return Incoming(provider, body, around)

    return read


def _bounds(settings: "Settings") -> Bounds:
    return Bounds(settings.max_json_depth, settings.max_json_parts, settings.max_json_values)


def _prompt(body: BaseModel) -> object:
    """The prompt in a body of any operation."""
    return body.model_dump(
        mode="json",
        include={"messages", "prompt", "suffix", "input", "instructions", "system"},
        by_alias=True,
    )


def _check_encoding(request: Request) -> None:
    """Raise `UnsupportedMediaType` for a compressed body (RFC 9110 section 15.5.16)."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise UnsupportedMediaType(
            "Compressed bodies are not supported: send the body without Content-Encoding.",
            code="unsupported_content_encoding",
        )


async def _read(request: Request, settings: "Settings") -> bytes:
    """The whole body, within the time and size limits of the settings.

    Of a body that is too large, up to `DISCARDED` times the limit are read and discarded: a client that is still
    sending would otherwise see a connection reset instead of the answer. Starlette's own limit is not used, because it
    answers in plain text. Raises `TooSlow`, `BodyTooLarge`, and `Overloaded` if too much data is arriving.
    """
    limit, traffic = settings.max_body_bytes, _traffic(request)
    kept = bytearray()
    size = 0
    now = asyncio.get_running_loop().time
    end = now() + settings.body_timeout
    try:
        async with asyncio.timeout_at(min(end, now() + settings.body_idle_timeout)) as clock:
            async for part in request.stream():
                clock.reschedule(min(end, now() + settings.body_idle_timeout))
                size += len(part)
                if size <= limit:
                    kept += part
                    traffic.arriving_bytes += len(part)
                    if traffic.arriving_bytes > limit * ARRIVING:
                        raise Overloaded(
                            "Too many large requests are already arriving: try again in a second."
                        )
                elif size > limit * (1 + DISCARDED):
                    break
    except TimeoutError:
        raise TooSlow(
            f"The body did not arrive in time ({settings.body_idle_timeout:g} seconds between two parts,"
            f" {settings.body_timeout:g} in total): send it faster."
        ) from None
    finally:
        traffic.arriving_bytes -= len(kept)
    if size > limit:
        raise BodyTooLarge(
            f"The body is too large, the limit is {limit} bytes: send less.", code="request_too_large"
        )
    return bytes(kept)
