"""How the server stops: open requests may finish, new ones are refused, and further signals shorten that."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from gonogo_server import http_server, serve
from gonogo_server.engine import choose
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.http_server import Server
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractContextManager

    from server.operations.conftest import Logged, Process

    Serving = Callable[..., AbstractContextManager[Process]]
    Until = Callable[[Callable[[], object]], Awaitable[None]]

pytestmark = pytest.mark.anyio

PATIENCE = 30.0
ANSWER = "Hello! How can I help you today?"
STREAM = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}], "stream": True}


class House:
    """A server that runs in this process, and a client for it."""

    def __init__(self, server: Server, client: httpx2.AsyncClient, running: asyncio.Task[None]) -> None:
        self.server = server
        self.client = client
        self.running = running

    def signal(self, sent: signal.Signals) -> None:
        self.server.handle_exit(sent, None)

    async def health(self) -> httpx2.Response:
        return await self.client.get(self.client.base_url.join("/health"))


@asynccontextmanager
async def serving_here(engine: ScriptedEngine, settings: Settings) -> AsyncIterator[House]:
    listener = socket.create_server(("127.0.0.1", 0))
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    server = Server(engine, settings)
    server._captured_signals = Deaf()  # type: ignore[assignment]  # otherwise the signals are raised at the end
    async with (
        asyncio.timeout(PATIENCE),
        asyncio.TaskGroup() as tasks,
        httpx2.AsyncClient(base_url=base_url, timeout=PATIENCE) as client,
    ):
        running = tasks.create_task(server.serve(sockets=[listener]))
        yield House(server, client, running)
        if not running.done():
            server.should_exit = server.force_exit = True


class Deaf(list[int]):
    """Records no signal."""

    def append(self, _signal: int) -> None:
        pass


@pytest.fixture
def engine(gate: asyncio.Semaphore) -> ScriptedEngine:
    return ScriptedEngine(gate=gate.acquire)


@pytest.fixture
async def house(engine: ScriptedEngine, settings: Settings) -> AsyncIterator[House]:
    async with serving_here(engine, settings) as house:
        yield house


async def events_of(response: httpx2.Response) -> list[str]:
    return [line.removeprefix("data: ") async for line in response.aiter_lines() if line]


async def test_at_sigterm_open_streams_end_by_themselves_and_then_the_server(
    house: House, gate: asyncio.Semaphore, logged: Logged, until: Until
) -> None:
    gate.release()
    async with house.client.stream("POST", "chat/completions", json=STREAM) as response:
        house.signal(signal.SIGTERM)
        await until(lambda: logged.named("drain_started"))
        assert not house.running.done()
        for _ in range(len(ANSWER) + 1):
            gate.release()
        assert (await events_of(response))[-1] == "[DONE]"
    await house.running
    assert logged.named("drain_started")[0]["open_requests"] == 1
    assert logged.named("server_stopping")[0]["open_requests"] == 0
    assert not house.server.engine_died


async def test_while_draining_new_requests_and_probes_get_503(
    house: House,
    engine: ScriptedEngine,
    gate: asyncio.Semaphore,
    until: Until,
    keeps_contract: Callable[[str, object], None],
) -> None:
    asking = asyncio.create_task(house.client.post("chat/completions", json=STREAM))
    await until(lambda: engine.running)
    house.signal(signal.SIGTERM)
    refused = await house.client.get("models")
    keeps_contract("ErrorEnvelope", refused.json())
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "shutting_down")
    assert refused.headers["retry-after"] == "5"
    assert refused.headers["connection"] == "close"
    assert "x-should-retry" not in refused.headers
    health = await house.health()
    keeps_contract("ErrorEnvelope", health.json())
    assert (health.status_code, health.json()["status"]) == (503, "draining")
    assert health.json()["version"]
    for _ in range(len(ANSWER) + 1):
        gate.release()
    assert (await asking).text.endswith("[DONE]\n\n")
    await house.running


async def broken_off(
    house: House, *signals: signal.Signals, until: Until, engine: ScriptedEngine
) -> dict[str, Any]:
    """The last event of a stream that never ends by itself, after these signals."""
    asking = asyncio.create_task(house.client.post("chat/completions", json=STREAM))
    await until(lambda: engine.running)
    for sent in signals:
        house.signal(sent)
    *_, last = await events_of(await asking)
    await house.running
    return json.loads(last)


@pytest.mark.parametrize(
    "signals",
    [(signal.SIGTERM, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT), (signal.SIGINT,)],
    ids=["SIGTERM twice", "SIGTERM, Ctrl-C", "Ctrl-C"],
)
async def test_a_second_sigterm_or_any_ctrl_c_stops_at_once(
    engine: ScriptedEngine,
    gate: asyncio.Semaphore,
    until: Until,
    signals: tuple[signal.Signals, ...],
    logged: Logged,
) -> None:
    gate.release()
    async with serving_here(engine, Settings(drain_seconds=3600)) as house:
        last = await broken_off(house, *signals, until=until, engine=engine)
    assert last["error"]["type"] == "service_unavailable_error"
    assert logged.named("server_stopping")[0]["open_requests"] == 1


async def test_past_the_limit_it_stops_what_is_still_open(
    engine: ScriptedEngine, gate: asyncio.Semaphore, until: Until
) -> None:
    gate.release()
    async with serving_here(engine, Settings(drain_seconds=0)) as house:
        last = await broken_off(house, signal.SIGTERM, until=until, engine=engine)
    assert last["error"]["type"] == "service_unavailable_error"


async def test_a_third_signal_waits_for_nothing(house: House) -> None:
    await house.health()
    for _ in range(3):
        house.signal(signal.SIGTERM)
    assert house.server.force_exit
    await house.running


async def test_a_server_whose_engine_has_died_says_so_for_a_while_and_ends(
    house: House, engine: ScriptedEngine, logged: Logged
) -> None:
    house.server.dead_seconds = 0.5
    assert (await house.health()).status_code == 200
    engine.die()
    assert (await house.health()).json()["status"] == "dead"
    await house.running
    assert house.server.engine_died
    assert [event["event"] for event in logged.events] == ["engine_died", "server_stopping"]


# ---- as a process ----------------------------------------------------------------------------------------


def test_a_drained_process_ends_with_0_and_logs_its_totals(serving: Serving) -> None:
    with serving("--log-format", "json") as server:
        httpx2.get(f"{server.base_url}/models")
        _, written = server.stop()
    told = [json.loads(line)["event"] for line in written.splitlines()]
    assert told == ["request_started", "request_finished", "drain_started", "server_stopping"]


def test_a_process_stops_at_once_at_a_second_sigterm_with_a_request_open(serving: Serving) -> None:
    with serving("--log-format", "json", "--drain-seconds", "3600") as server, half_a_request(server):
        server.send(signal.SIGTERM)
        for line in server.lines():
            if json.loads(line)["event"] == "drain_started":
                break
        server.send(signal.SIGTERM)
        assert server.end() == 0


def half_a_request(server: Process) -> socket.socket:
    """A connection with a request whose body never comes."""
    host, port = server.base_url.removeprefix("http://").removesuffix("/v1").split(":")
    connection = socket.create_connection((host, int(port)))
    head = "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n"
    connection.sendall(f"{head}content-type: application/json\r\ncontent-length: 9\r\n\r\n".encode())
    assert connection.recv(64).startswith(b"HTTP/1.1 100")
    return connection


def test_a_process_whose_engine_died_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = ScriptedEngine()
    engine.die()
    monkeypatch.setattr(choose, "engine", lambda *_: (engine, ""))
    monkeypatch.setattr(http_server, "DEAD_SECONDS", 0.0)
    monkeypatch.setattr(serve.logs, "configure", lambda _format: None)
    assert serve.run(Settings(port=0)) == 1
