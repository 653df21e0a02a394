"""A client that does not read: its generation waits, nothing accumulates, and other clients are not affected."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING

import pytest
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.settings import Settings

from .limits import FAR

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx2

    from .limits import Limits

    Until = Callable[[Callable[[], object]], Awaitable[None]]

pytestmark = pytest.mark.anyio

ENDLESS = 10**6  # tokens, each of which is an event of over a hundred bytes
CHAT = {"model": "scripted", "messages": [{"role": "user", "content": "Hi"}]}
TURNS = 2_000  # of the event loop; a stream that is not held back generates a token in each


class Counting:
    """A gate that lets everything through and counts it."""

    def __init__(self) -> None:
        self.tokens = 0

    async def __call__(self) -> None:
        self.tokens += 1
        await asyncio.sleep(0)


@pytest.fixture
def gate() -> Counting:
    return Counting()


@pytest.fixture
def engine(gate: Counting) -> ScriptedEngine:
    return ScriptedEngine(answer="a" * ENDLESS, context_length=2 * ENDLESS, gate=gate)


async def held_back(gate: Counting) -> int:
    """The number of tokens at which generation stopped."""
    while True:
        before = gate.tokens
        for _ in range(TURNS):
            await asyncio.sleep(0)
        if gate.tokens == before:
            return before


def unread(client: httpx2.AsyncClient, n: int) -> socket.socket:
    """A connection with a small buffer, on which a stream was requested that nobody reads."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((client.base_url.host, client.base_url.port))
    body = json.dumps({**CHAT, "stream": True, "n": n}).encode()
    head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    connection.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    return connection


@pytest.mark.unmeasured  # a hundred thousand events run the same lines as one
@pytest.mark.parametrize("n", [1, 3])
async def test_a_generation_waits_for_a_client_that_does_not_read(
    live: httpx2.AsyncClient, engine: ScriptedEngine, gate: Counting, until: Until, n: int
) -> None:
    connection = unread(live, n)
    await until(lambda: gate.tokens)
    made = await held_back(gate)
    assert made < ENDLESS / 10
    assert engine.running == n
    other = await live.post("/chat/completions", json={**CHAT, "max_tokens": 5})
    assert other.json()["usage"]["completion_tokens"] == 5
    connection.close()
    await until(lambda: engine.running == 0)


async def test_it_goes_on_where_it_was_once_the_client_reads_again(
    live: httpx2.AsyncClient, gate: Counting, until: Until
) -> None:
    connection = unread(live, 1)
    await until(lambda: gate.tokens)
    made = await held_back(gate)
    connection.setblocking(False)  # noqa: FBT003 - positional in the standard library
    loop = asyncio.get_running_loop()
    read = 0
    while gate.tokens <= made:
        read += len(await loop.sock_recv(connection, 65536))
    assert read
    connection.close()


@pytest.mark.parametrize("settings", [Settings(request_timeout=FAR)])
async def test_the_deadline_ends_an_unread_generation(
    limits: Limits, live: httpx2.AsyncClient, engine: ScriptedEngine, until: Until
) -> None:
    connection = unread(live, 1)
    await until(lambda: engine.running)
    limits.expire()
    await until(lambda: not engine.running)
    connection.close()
