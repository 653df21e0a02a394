"""The composition root: builds providers from settings, and the application that serves an engine."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from gonogo_server.app import create_app
from gonogo_server.errors import BadSettings
from gonogo_server.providers.registry import LOCAL, Registry
from gonogo_server.store_settings import MEMORY

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp

    from gonogo_server.compilation.worker import Worker
    from gonogo_server.engine.base import Engine
    from gonogo_server.provider_settings import ProviderSettings
    from gonogo_server.providers.base import Provider
    from gonogo_server.providers.upstream.provider import Upstream
    from gonogo_server.repair.quirks import Quirks
    from gonogo_server.response_store.sqlite import ResponseStore
    from gonogo_server.settings import Settings
    from gonogo_server.traffic import Traffic


def providers(settings: Settings, engine: Engine | None, worker: Worker | None = None) -> Registry:
    """The engine of this process as provider `local`, if there is one, then the providers of the settings."""
    made: dict[str, Provider] = {}
    if engine is not None:
        from gonogo_server.providers.local.provider import Local  # noqa: PLC0415 - a gateway alone has no grammars

        made[LOCAL] = Local(engine, settings, worker, response_store(settings))
    elif settings.responses_store is not None:
        raise BadSettings(
            "Only responses of models of this process are stored: add --model, or remove --responses-store."
        )
    for name, given in settings.providers.items():
        made[name] = upstream(name, given, settings)
    return Registry(made, settings.default_provider)


def response_store(settings: Settings) -> ResponseStore | None:
    """The store of responses, if any. Raises `BadSettings` for an unusable file."""
    if settings.responses_store is None:
        return None
    from gonogo_server.response_store.sqlite import ResponseStore, check_file  # noqa: PLC0415 - most servers have none

    path = None if settings.responses_store == MEMORY else Path(settings.responses_store)
    if path is not None:
        check_file(path)
    return ResponseStore(
        path,
        seconds=settings.responses_store_seconds,
        count=settings.responses_store_count,
        size=settings.responses_store_bytes,
    )


def upstream(name: str, given: ProviderSettings, settings: Settings) -> Upstream:
    """A provider that is another server. Raises `BadSettings` for an unreadable report."""
    from gonogo_server.providers.upstream.client import Client  # noqa: PLC0415 - only a gateway sends requests
    from gonogo_server.providers.upstream.provider import Upstream  # noqa: PLC0415 - see above

    key = os.environ.get(given.variable(name), "").strip() or None
    known = quirks(settings, name)
    return Upstream(
        name, Client(given, key), known, settings.early_headers, given.surfaces, given.known.limit
    )


def quirks(settings: Settings, name: str) -> Quirks:
    """The rules that a provider is known to break: from the report about it, or else from its preset."""
    from gonogo_server.repair.quirks import Quirks  # noqa: PLC0415 - see above

    path, given = settings.quirks_of(name), settings.providers[name]
    if path is None:
        broken = [{"id": rule, "verdict": "fail"} for rule in given.known.broken]
        return Quirks.read({"report_version": 2, "rules": broken}, given.pass_on) if broken else Quirks()
    try:
        report = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadSettings(f"Cannot read the report about '{name}' in {path}: {error.strerror}.") from None
    except ValueError:
        raise BadSettings(
            f"The report about '{name}' in {path} is not JSON: give a file written by `gonogo check "
            "URL --json FILE`."
        ) from None
    return Quirks.read(report, given.pass_on)


def application(
    engine: Engine,
    settings: Settings,
    traffic: Traffic | None = None,
    names: Collection[str] | None = None,
    worker: Worker | None = None,
) -> ASGIApp:
    """The application that serves `engine`, which the caller has to close; see `create_app`."""
    return create_app(providers(settings, engine, worker), settings, traffic, names, engine)
