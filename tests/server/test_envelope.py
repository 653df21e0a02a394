"""Errors of the framework itself get the envelope, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from fastapi import FastAPI
from gonogo_server import envelope
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    Check = Callable[[str, object], None]

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    app = FastAPI()
    envelope.install(app)

    @app.get("/number")
    async def number(value: int) -> int:
        return value

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, "Short and stout.", headers={"x-spout": "here"})

    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://server"
    ) as client:
        yield client


async def test_a_bad_parameter_is_a_400_and_not_a_422(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    response = await client.get("/number?value=x")
    assert response.status_code == 400
    keeps_contract("ErrorEnvelope", response.json())
    assert response.json()["error"]["param"] == "value"


async def test_any_other_status_keeps_its_sentence_and_headers(
    client: httpx2.AsyncClient, keeps_contract: Check
) -> None:
    response = await client.get("/teapot")
    assert response.status_code == 418
    keeps_contract("ErrorEnvelope", response.json())
    assert response.json()["error"]["message"] == "Short and stout."
    assert response.headers["x-spout"] == "here"
