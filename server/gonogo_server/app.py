"""The application, put together; what it is made of stands in the other modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware

from gonogo_server import envelope
from gonogo_server.compilation.compiler import Compiler
from gonogo_server.connection.own_names import OwnNames
from gonogo_server.operations.deadline import Deadline
from gonogo_server.operations.exchange_headers import PROCESSING_MS, REQUEST_ID, ExchangeHeaders
from gonogo_server.operations.metrics import Metrics
from gonogo_server.operations.observation import Observation
from gonogo_server.routes import chat, completions, embeddings, health, metrics, models
from gonogo_server.routes.beside import thread
from gonogo_server.routes.dependencies import admitted, authorized
from gonogo_server.settings import LOOPBACK_ORIGIN
from gonogo_server.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp

    from gonogo_server.compilation.worker import Worker
    from gonogo_server.engine.base import Engine
    from gonogo_server.settings import Settings

API = (models.router, chat.router, completions.router, embeddings.router)


def create_app(
    engine: Engine,
    settings: Settings,
    traffic: Traffic | None = None,
    names: Collection[str] | None = None,
    worker: Worker | None = None,
) -> ASGIApp:
    """The API under /v1, /health and /openapi.json, and /metrics where the settings ask for it.

    `engine` answers, and stays the caller's to close; `traffic` is counted, and its `draining` obeyed. It
    answers under `names` and the addresses of loopback (None: under any name). `worker` tries schemas, a new
    one where none is given.
    """
    # Our own document is served, not the one that FastAPI would derive from the code.
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.state.engine = engine
    app.state.settings = settings
    app.state.compiler = Compiler(settings.schema_limits, worker)
    app.state.beside = thread()
    app.state.traffic = traffic = traffic or Traffic()
    app.state.metrics = Metrics(engine, traffic) if settings.metrics else None
    envelope.install(app)
    app.include_router(health.router)
    for router in API:
        app.include_router(router, prefix="/v1", dependencies=[Depends(admitted), Depends(authorized)])
    if settings.metrics:
        app.include_router(metrics.router, dependencies=[Depends(authorized)])
    layered = _with_cors(_with_deadline(app, settings), settings)
    if names is not None:
        layered = OwnNames(layered, names)
    return ExchangeHeaders(Observation(layered, traffic, app.state.metrics))


def _with_deadline(app: ASGIApp, settings: Settings) -> ASGIApp:
    return app if settings.request_timeout is None else Deadline(app, settings.request_timeout)


def _with_cors(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Outside of the application, so that a web page can read its errors as well."""
    return CORSMiddleware(
        app,
        allow_origins=settings.cors_origins,
        allow_origin_regex=LOOPBACK_ORIGIN,
        allow_methods=["GET", "POST"],
        allow_headers=["*"],  # the official SDKs send a dozen x-stainless-* headers
        expose_headers=[REQUEST_ID, PROCESSING_MS, "retry-after"],
    )
