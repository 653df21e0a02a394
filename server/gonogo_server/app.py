"""The application, assembled from the other modules."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware

from gonogo_server import envelope
from gonogo_server.connection.own_names import OwnNames
from gonogo_server.operations.deadline import Deadline
from gonogo_server.operations.exchange_headers import PROCESSING_MS, ExchangeHeaders
from gonogo_server.operations.metrics import Metrics
from gonogo_server.operations.observation import Observation
from gonogo_server.routes import chat, completions, embeddings, health, messages, metrics, models, responses
from gonogo_server.routes.dependencies import admitted, authorized
from gonogo_server.settings import LOOPBACK_ORIGIN
from gonogo_server.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp

    from gonogo_server.engine.base import Engine
    from gonogo_server.providers.registry import Registry
    from gonogo_server.settings import Settings

API = (models.router, chat.router, completions.router, embeddings.router, responses.router, messages.router)


def create_app(
    registry: Registry,
    settings: Settings,
    traffic: Traffic | None = None,
    names: Collection[str] | None = None,
    engine: Engine | None = None,
) -> ASGIApp:
    """The API under /v1 and /PROVIDER/v1, /health and /openapi.json, and /metrics if the settings ask for it.

    The caller has to close the providers in `registry`. The application updates `traffic` and obeys its `draining`. It
    answers under `names` and loopback addresses (None: under any name). The metrics include those of `engine`, if any.
    """
    # The contract is served, not a document that FastAPI derives from the code.
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.state.registry = registry
    app.state.settings = settings
    app.state.keys = settings.keys
    # A single thread, because only one runs Python at a time: with more threads, the event loop waits longer for its
    # turn.
    app.state.beside = ThreadPoolExecutor(1, "gonogo-requests")
    app.state.traffic = traffic = traffic or Traffic()
    app.state.metrics = Metrics(engine, traffic) if settings.metrics else None
    envelope.install(app)
    app.include_router(health.router)
    for prefix in ("/v1", "/{provider}/v1"):
        for router in API:
            app.include_router(router, prefix=prefix, dependencies=[Depends(admitted), Depends(authorized)])
    if settings.metrics:
        app.include_router(metrics.router, dependencies=[Depends(authorized)])
    layered = _with_cors(_with_deadline(app, settings), settings)
    if names is not None:
        layered = OwnNames(layered, names)
    return ExchangeHeaders(Observation(layered, traffic, app.state.metrics), secure=settings.security_headers)


def _with_deadline(app: ASGIApp, settings: Settings) -> ASGIApp:
    return app if settings.request_timeout is None else Deadline(app, settings.request_timeout)


def _with_cors(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Outside of the application, so that a web page can read its errors too."""
    return CORSMiddleware(
        app,
        allow_origins=settings.cors_origins,
        allow_origin_regex=LOOPBACK_ORIGIN,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["*"],  # the official SDKs send a dozen x-stainless-* headers
        expose_headers=[envelope.REQUEST_ID, PROCESSING_MS, "retry-after"],
    )
