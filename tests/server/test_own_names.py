"""A web page cannot make a browser send requests to a server on loopback by a host name of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from gonogo_server.compose import application
from gonogo_server.connection.own_names import own_names
from gonogo_server.http_server import Server
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_server.engine.scripted import ScriptedEngine

pytestmark = pytest.mark.anyio

OWN = ["localhost", "LOCALHOST:8000", "127.0.0.1:8000", "127.0.0.2", "[::1]:8000"]
FOREIGN = [
    "attacker.example",
    "localhost.attacker.example:8000",
    "127.0.0.1.attacker.example",
    "192.0.2.1",
    "",
    "[",
    "a:b:c",
]


async def status(engine: ScriptedEngine, settings: Settings, host: str, path: str = "/v1/models") -> int:
    app = application(engine, settings, names=own_names(settings))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://x") as client:
        return (await client.get(path, headers={"host": host})).status_code


@pytest.mark.parametrize("host", OWN)
@pytest.mark.parametrize("listening", ["127.0.0.1", "::1", "localhost"])
async def test_under_its_own_names_it_answers(engine: ScriptedEngine, host: str, listening: str) -> None:
    assert await status(engine, Settings(host=listening), host) == 200


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("path", ["/v1/models", "/v1/nothing", "/health", "/openapi.json"])
async def test_under_any_other_it_does_not(engine: ScriptedEngine, host: str, path: str) -> None:
    assert await status(engine, Settings(), host, path) == 421


@pytest.mark.parametrize(
    "options",
    [
        {"api_key": "s3cret"},
        {"host": "0.0.0.0"},
        {"host": "192.0.2.1"},
        {"allowed_hosts": ("attacker.example",)},
        {"allowed_hosts": ("other.example", "*")},
    ],
    ids=str,
)
async def test_any_name_will_do_where_a_key_guards_it_or_it_was_allowed(
    engine: ScriptedEngine, options: dict[str, Any]
) -> None:
    assert await status(engine, Settings(**options), "attacker.example:8000", "/health") == 200


async def test_names_that_are_set_count_on_any_address(engine: ScriptedEngine) -> None:
    settings = Settings(host="0.0.0.0", allowed_hosts=("Models.example",))
    assert await status(engine, settings, "models.example:8000") == 200
    assert await status(engine, settings, "127.0.0.1") == 200
    assert await status(engine, settings, "attacker.example") == 421


async def test_the_refusal_is_in_the_envelope_and_the_server_is_set_up_so(
    engine: ScriptedEngine, keeps_contract: Callable[[str, object], None]
) -> None:
    app = Server(engine, Settings()).config.app
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://attacker.example"
    ) as client:
        response = await client.get("/v1/models")
    keeps_contract("ErrorEnvelope", response.json())
    assert response.json()["error"]["code"] == "misdirected_request"
    assert "--allowed-host" in response.json()["error"]["message"]
    assert response.headers["x-request-id"]
