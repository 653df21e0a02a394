"""The reference server's application on loopback, unchanged or with a fault that only shows live."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import uvicorn
from gonogo_server.compose import application
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

WIDE = "🙂🎉é漢字"
BOTH = "Use set_colour to make the lamp teal, and ring_bell to ring the bell."
CALLS = (
    '<tool_call>{"name": "set_colour", "arguments": {"colour": "teal"}}</tool_call>'
    '<tool_call>{"name": "ring_bell", "arguments": {}}</tool_call>'
)
PATIENCE = 30.0
"""Seconds after which a hanging run is stopped; no test waits for this limit."""


def sound(key: str | None = None, embedders: tuple[str, ...] = ()) -> Application:
    """The application of the reference server, on an engine without a model; it requires the key, if one is given."""
    settings = Settings(cors_origins=("*",), api_key=key)  # type: ignore[arg-type]  # pydantic converts it to a secret
    engine = ScriptedEngine(("scripted", "org/scripted"), _answer, embedding_models=embedders)
    return application(engine, settings)


def _answer(prompt: str) -> str:
    """The multi-byte characters or the calls that the prompt asks for, or a greeting."""
    if BOTH in prompt:
        return CALLS
    return WIDE if WIDE in prompt else "Hello! How can I help you today?"


@dataclass
class Call:
    """One whole request, for a fault."""

    scope: Scope
    body: bytes
    receive: Receive
    send: Send

    @property
    def path(self) -> str:
        """The path of the request, with the prefix of the API."""
        return str(self.scope["path"])

    async def forward(self, application: Application, send: Send | None = None) -> None:
        """Let the correct application answer."""
        pending = [{"type": "http.request", "body": self.body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return pending.pop() if pending else await self.receive()

        await application(self.scope, receive, send or self.send)


def broken(fault: Callable[[Call, Application], Awaitable[None]]) -> Application:
    """An application whose fault gets each request, and may let the correct one answer."""
    inner = sound()

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        await fault(Call(scope, body, receive, send), inner)

    return application


@contextmanager
def served(application: Application) -> Iterator[tuple[str, uvicorn.Server]]:
    """Serve on a free port of loopback, in a thread; yields the base URL of the API, and the server."""
    listener = socket.create_server(("127.0.0.1", 0))  # queues connections from here on
    config = uvicorn.Config(
        application, http="h11", lifespan="off", log_config=None, timeout_graceful_shutdown=1
    )
    config.load()  # imports its protocols now, not in parallel with imports of the main thread
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", server
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        listener.close()
