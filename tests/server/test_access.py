"""Access control: clients with the key, and the origins of web pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gonogo_server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("settings", [Settings(api_key="s3cret")])
@pytest.mark.parametrize(
    "sent", [None, "Bearer other", "Bearer", "s3cret", "Basic s3cret", "Bearer schlüssel"]
)
async def test_without_the_key_every_operation_is_a_401(
    client: httpx2.AsyncClient, keeps_contract: Check, sent: str | None
) -> None:
    headers = {} if sent is None else {"authorization": sent.encode()}
    for method, path in (("GET", "/models"), ("GET", "/models/scripted"), ("POST", "/chat/completions")):
        response = await client.request(method, path, headers=headers)
        assert response.status_code == 401
        keeps_contract("ErrorEnvelope", response.json())
        assert response.json()["error"]["code"] == "invalid_api_key"
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("settings", [Settings(api_key="s3cret")])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_with_the_key_it_answers(client: httpx2.AsyncClient, scheme: str) -> None:
    assert (await client.get("/models", headers={"authorization": f"{scheme} s3cret"})).status_code == 200


@pytest.mark.parametrize("settings", [Settings(api_key="s3cret")])
async def test_health_and_the_contract_need_no_key(client: httpx2.AsyncClient) -> None:
    assert (await client.get("http://server/health")).status_code == 200
    assert (await client.get("http://server/openapi.json")).status_code == 200


async def test_any_key_will_do_where_none_is_set(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/models", headers={"authorization": "Bearer any"})).status_code == 200


def preflight(origin: str) -> dict[str, str]:
    return {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, x-stainless-os",
    }


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443"])
async def test_a_web_page_of_this_machine_may_ask(client: httpx2.AsyncClient, origin: str) -> None:
    response = await client.options("/chat/completions", headers=preflight(origin))
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == origin
    assert "x-stainless-os" in response.headers["access-control-allow-headers"]


@pytest.mark.parametrize("origin", ["https://example.org", "http://localhost.example.org", "null"])
async def test_a_web_page_of_another_machine_may_not(client: httpx2.AsyncClient, origin: str) -> None:
    response = await client.options("/chat/completions", headers=preflight(origin))
    assert response.status_code == 400
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("settings", [Settings(cors_origins=("https://example.org",))])
async def test_a_web_page_that_was_allowed_may_ask_and_read_errors_too(client: httpx2.AsyncClient) -> None:
    origin = "https://example.org"
    assert (await client.options("/models", headers=preflight(origin))).status_code == 200
    response = await client.get("/nothing", headers={"origin": origin})
    assert response.headers["access-control-allow-origin"] == origin
    assert "x-request-id" in response.headers["access-control-expose-headers"]
