"""The composition root: from settings to providers, and from an engine to an application that serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo_server.app import create_app
from gonogo_server.providers.registry import LOCAL, Registry

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp

    from gonogo_server.compilation.worker import Worker
    from gonogo_server.engine.base import Engine
    from gonogo_server.providers.base import Provider
    from gonogo_server.settings import Settings
    from gonogo_server.traffic import Traffic


def providers(settings: Settings, engine: Engine | None, worker: Worker | None = None) -> Registry:
    """The engine of this process, where there is one, as provider `local`, then those that the settings name."""
    made: dict[str, Provider] = {}
    if engine is not None:
        from gonogo_server.providers.local.provider import Local  # noqa: PLC0415 - a gateway alone has no grammars

        made[LOCAL] = Local(engine, settings, worker)
    return Registry(made)


def application(
    engine: Engine,
    settings: Settings,
    traffic: Traffic | None = None,
    names: Collection[str] | None = None,
    worker: Worker | None = None,
) -> ASGIApp:
    """The application that serves `engine`, which stays the caller's to close; see `create_app`."""
    return create_app(providers(settings, engine, worker), settings, traffic, names, engine)
