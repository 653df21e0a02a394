"""What stands outside the API: whether the server can answer, and the document that it keeps to."""

from importlib.metadata import version

import gonogo_contract
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from gonogo_server.envelope import envelope
from gonogo_server.errors import EngineDied
from gonogo_server.routes.dependencies import EngineDependency

router = APIRouter()

VERSION = version("gonogo")


@router.api_route("/health", methods=["GET", "HEAD"])
async def health(engine: EngineDependency) -> Response:
    """200 while the engine can generate, 503 with the envelope once it cannot; the version with both."""
    if engine.alive:
        return JSONResponse({"status": "ok", "version": VERSION})
    died = EngineDied("The engine has died: start the server again.", code="engine_died")
    told = envelope(died).model_dump(by_alias=True)
    return JSONResponse({"status": "dead", "version": VERSION, **told}, status_code=died.status)


@router.api_route("/openapi.json", methods=["GET", "HEAD"])
async def openapi() -> Response:
    """The contract as JSON."""
    return JSONResponse(gonogo_contract.document())
