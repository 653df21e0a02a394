"""The server on a scripted engine: in this process for single answers, on loopback for streams."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import jsonschema_rs
import pytest
import uvicorn
from gonogo_contract import component_schema
from gonogo_server.compilation.trials import ready
from gonogo_server.compilation.worker import Worker
from gonogo_server.compose import application
from gonogo_server.connection.protocol import Limits, limited
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.events import LOGGER
from gonogo_server.settings import Settings
from gonogo_wire import CreateChatCompletionRequest
from server.grammars import BELL, LAMP, Grammar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from starlette.types import ASGIApp

PATIENCE = 30.0
"""Seconds after which a hanging test is stopped; no test waits for this limit."""

USUAL = Limits(Settings().head_timeout, Settings().max_connections)


async def until(condition: Callable[[], object]) -> None:
    """Let the server run until a condition holds; the fixture of the server bounds the wait."""
    while not condition():  # noqa: ASYNC110 - the condition has no event
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def _levels_as_before() -> Iterator[None]:
    """Restore the log levels that a server in this process sets, for later tests."""
    loggers = (logging.getLogger(), logging.getLogger(LOGGER))
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


class AnnouncingServer(uvicorn.Server):
    """Sets `listening` once it accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@asynccontextmanager
async def listen(app: ASGIApp, limits: Limits = USUAL) -> AsyncIterator[httpx2.AsyncClient]:
    """Serve an application on a free port of loopback, with a client for it."""
    listener = socket.create_server(("127.0.0.1", 0))
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    config = uvicorn.Config(
        app, http=limited(limits), lifespan="on", log_config=None, timeout_graceful_shutdown=1
    )
    server = AnnouncingServer(config)
    async with asyncio.timeout(PATIENCE):
        running = asyncio.create_task(server.serve(sockets=[listener]))
        await server.listening.wait()
        async with httpx2.AsyncClient(base_url=base_url, timeout=PATIENCE) as client:
            yield client
        server.should_exit = True
        await running


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    return Settings()


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(("scripted", "org/scripted"))


@pytest.fixture
def gate() -> asyncio.Semaphore:
    """A gate for an engine's tokens: each release lets one through."""
    return asyncio.Semaphore(0)


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    """The process that compiles schemas; it takes a second to start, and all tests share it."""
    worker = Worker(ready)
    yield worker
    worker.close()


@pytest.fixture
async def client(
    engine: ScriptedEngine, settings: Settings, worker: Worker
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the application without a socket; answers arrive at once, streams too."""
    transport = httpx2.ASGITransport(
        app=application(engine, settings, worker=worker), raise_app_exceptions=False
    )
    async with httpx2.AsyncClient(transport=transport, base_url="http://server/v1") as client:
        yield client


@pytest.fixture
async def live(
    engine: ScriptedEngine, settings: Settings, worker: Worker
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a server that listens on loopback."""
    limits = Limits(settings.head_timeout, settings.max_connections)
    async with listen(application(engine, settings, worker=worker), limits) as client:
        yield client


@pytest.fixture
def refused(
    client: httpx2.AsyncClient, keeps_contract: Callable[[str, object], None]
) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Sends a request that is refused, and returns the error object; fails if it does not match the contract."""

    async def ask(path: str, body: dict[str, Any], status: int = 400) -> dict[str, Any]:
        response = await client.post(path, json=body)
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/json"
        answer: dict[str, Any] = response.json()
        keeps_contract("ErrorEnvelope", answer)
        error: dict[str, Any] = answer["error"]
        return error

    return ask


@pytest.fixture(scope="session")
def keeps_contract() -> Callable[[str, object], None]:
    """Fails if a value does not match a component of the contract."""
    validators: dict[str, Any] = {}

    def check(component: str, value: object) -> None:
        if component not in validators:
            validators[component] = jsonschema_rs.validator_for(component_schema(component))
        validators[component].validate(value)

    return check


@pytest.fixture
def grammar() -> Callable[[str], Grammar]:
    return Grammar


@pytest.fixture
def request_with() -> Callable[..., CreateChatCompletionRequest]:
    """A request with these fields; with two tools by default."""

    def make(**fields: Any) -> CreateChatCompletionRequest:  # noqa: ANN401 - JSON
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "tools": [LAMP, BELL]} | fields
        return CreateChatCompletionRequest.model_validate(body)

    return make
