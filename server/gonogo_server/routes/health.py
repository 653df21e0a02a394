"""Paths outside the API: health, and the OpenAPI document."""

from importlib.metadata import version
from typing import TYPE_CHECKING

import gonogo_contract
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from gonogo_server.envelope import envelope
from gonogo_server.errors import Draining, EngineDied, ServerError

if TYPE_CHECKING:
    from gonogo_server.providers.registry import Registry
    from gonogo_server.traffic import Traffic

router = APIRouter()

VERSION = version("gonogo")


@router.api_route("/health", methods=["GET", "HEAD"])
async def health(request: Request) -> Response:
    """200 while new requests are accepted; 503 with the envelope while draining or after the engine has died.

    Every answer includes the version.
    """
    traffic: Traffic = request.app.state.traffic
    providers: Registry = request.app.state.registry
    if not providers.alive:
        return _unwell("dead", EngineDied("The engine has died: restart the server."))
    if traffic.draining:
        return _unwell("draining", Draining())
    return JSONResponse({"status": "ok", "version": VERSION})


def _unwell(status: str, error: ServerError) -> Response:
    told = envelope(error).model_dump(by_alias=True)
    return JSONResponse({"status": status, "version": VERSION, **told}, status_code=error.status)


@router.api_route("/openapi.json", methods=["GET", "HEAD"])
async def openapi() -> Response:
    """The contract as JSON."""
    return JSONResponse(gonogo_contract.document())
