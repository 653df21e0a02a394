"""Upstreams with chat completions and no other surface, requests for these surfaces, and comparisons of streams."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from server.providers.upstreams import DONE, FIRST, LAST, chunk, http, read, replying

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    Body = dict[str, Any]

CHAT = "/v1/chat/completions"
PATHS = (CHAT, "/v1/models")
NOT_FOUND = b'{"detail":"Not Found"}'
USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}
_NAME = re.compile(r'"((?:resp|msg|rs|fc|call|toolu|chatcmpl-tool)[_-][0-9a-zA-Z_-]+)"')


def response(given: object = "Hi", **fields: object) -> Body:
    """A request for a response."""
    return {"model": "scripted", "input": given, **fields}


def message(*messages: Body, **fields: object) -> Body:
    """A request for a message."""
    said = list(messages) or [{"role": "user", "content": "Hi"}]
    return {"model": "scripted", "max_tokens": 64, "messages": said, **fields}


def chat_only(app: ASGIApp, asked: list[Body] | None = None) -> ASGIApp:
    """The application without its other paths; chat requests are appended to `asked`."""

    async def only(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in PATHS:
            await replying(NOT_FOUND, status=404, media_type="application/json")(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == CHAT and asked is not None:
            data = await read(receive)
            asked.append(json.loads(data))
            await app(scope, _replayed(data, receive), send)
        else:
            await app(scope, receive, send)

    return only


def _replayed(data: bytes, receive: Receive) -> Receive:
    """A `receive` that returns the body that was read already, and then what comes."""
    left: list[Any] = [{"type": "http.request", "body": data, "more_body": False}]

    async def next_() -> Any:  # noqa: ANN401 - a message of ASGI
        return left.pop() if left else await receive()

    return next_


async def empty_body() -> dict[str, Any]:
    """The empty body message of an application whose body was read already."""
    return {"type": "http.request", "body": b"", "more_body": False}


def saying(*chunks: bytes, asked: list[Body] | None = None) -> ASGIApp:
    """An upstream that streams these chunks between a role and an end, with usage."""
    counted = chunk(choices=[], usage=USAGE)
    return chat_only(replying(FIRST, *chunks, LAST, counted, DONE), asked)


def answering(
    message: Body, reason: str = "stop", asked: list[Body] | None = None, **more: object
) -> ASGIApp:
    """An upstream that answers with this whole message."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    head = {"id": "c1", "object": "chat.completion", "created": 1_700_000_000, "model": "m"}
    body = {**head, "choices": [choice], "usage": USAGE, **more}
    return chat_only(replying(json.dumps(body).encode(), media_type="application/json"), asked)


def refusing(field: str, error: Body, app: ASGIApp) -> ASGIApp:
    """The application, for requests without this field; any other is refused with the error."""

    async def choosing(scope: Scope, receive: Receive, send: Send) -> None:
        data = await read(receive)
        if data and field in json.loads(data):
            content = json.dumps({"error": error}).encode()
            refusal = replying(content, status=400, media_type="application/json")
            await refusal(scope, empty_body, send)
        else:
            await app(scope, _replayed(data, receive), send)

    return http(choosing)


def counting(paths: list[str], app: ASGIApp) -> ASGIApp:
    """The application; each requested path is appended to `paths`."""

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        paths.append(scope["path"])
        await app(scope, receive, send)

    return http(noting)


def events(text: str) -> list[Body]:
    """The data of a surface's events; each event is named by its type."""
    found = []
    for frame in text.removesuffix("\n\n").split("\n\n"):
        if frame.startswith(":"):
            continue
        name, data = frame.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    return found


def alike(found: Any) -> Any:  # noqa: ANN401 - JSON
    """The value with ids numbered in order of first use, and without members that differ each time."""
    names: dict[str, str] = {}
    text = json.dumps(found)
    text = _NAME.sub(lambda match: f'"{names.setdefault(match[1], f"name {len(names)}")}"', text)
    return _without_times(json.loads(text))


def _without_times(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, list):
        return [_without_times(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _without_times(item) for name, item in value.items() if name not in VARIES}


VARIES = {
    "created_at",
    "completed_at",
    # Repeated prompts are in the prefix cache.
    "cached_tokens",
    "cache_read_input_tokens",
    "input_tokens",
    # Defaults are the upstream's.
    "temperature",
    "top_p",
}
