"""A server on an engine without a model, for clients in separate processes; its text fits each flow."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import uvicorn
from gonogo_server.app import create_app
from gonogo_server.compose import application, providers
from gonogo_server.connection.protocol import Limits, limited
from gonogo_server.engine.base import ToolStyle
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.settings import Settings

from .flows import KEY, LAMP_IS_TEAL, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.types import ASGIApp

HELLO: Final = "Hello! How can I help you today?"
PERSON: Final = '{"name": "Ada", "age": 36}'
CALL: Final = '<tool_call>{"name": "set_colour", "arguments": {"colour": "teal"}}</tool_call>'
STYLE: Final = ToolStyle("<tool_call>", "</tool_call>", lambda text, tools: json.loads(text), json=True)


def answer(prompt: str) -> str:
    """The engine's answer to a prompt, which has one line per message.

    It repeats the result of a tool, calls an offered tool, and describes a person.
    """
    lines = prompt.splitlines()
    if any(line.startswith(("tool: ", "tool (")) for line in lines[-2:-1]):
        return LAMP_IS_TEAL
    if any(line.startswith("tool: {") and "set_colour" in line for line in lines):
        return CALL
    return PERSON if "Ada" in prompt else HELLO


@contextmanager
def serving(says: Callable[[str], str] = answer, context_length: int = 65536) -> Iterator[str]:
    """Serve "scripted" (with these answers) and "vectors" in a thread; yields the base URL. Requires the key `KEY`."""
    engine = ScriptedEngine(
        ("scripted",), says, context_length=context_length, embedding_models=("vectors",), style=STYLE
    )
    settings = Settings(api_key=KEY)
    with listening(application(engine, settings), settings) as base_url:
        yield base_url


@contextmanager
def translating(upstream: str) -> Iterator[str]:
    """A gateway in a thread that uses only the chat completions of this base URL; yields its base URL. Requires `KEY`.

    The key of the upstream is in `LAB_API_KEY`.
    """
    lab = {"url": upstream, "surfaces": ["chat"]}
    settings = Settings.model_validate({"api_key": KEY, "providers": {"lab": lab}})
    registry = providers(settings, None)
    with listening(create_app(registry, settings), settings, registry.close) as base_url:
        yield base_url


async def nothing() -> None:
    """Do nothing: there is nothing to close."""


@contextmanager
def listening(
    app: ASGIApp, settings: Settings, close: Callable[[], Awaitable[None]] = nothing
) -> Iterator[str]:
    """Serve an application from a thread; gives its base URL."""
    limits = Limits(settings.head_timeout, settings.max_connections)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, http=limited(limits), lifespan="on", log_config=None))

        async def serve() -> None:
            await server.serve(sockets=[listener])
            await close()

        # Connections wait in the listener's queue until it accepts them.
        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
