"""A replica, and its Ray Serve deployment."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from ray import serve
from ray.serve.schema import LoggingConfig

from gonogo_server import compose
from gonogo_server.app import create_app
from gonogo_server.engine import choose
from gonogo_server.envelope import REQUEST_ID
from gonogo_server.operations import logs
from gonogo_server.replicas.refusals import check

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gonogo_server.engine.base import ModelCard
    from gonogo_server.settings import Settings

NAME: Final = "gonogo"
"""The name of the application and of its deployment in Ray Serve."""

QUIET: Final = LoggingConfig(log_level="WARNING", enable_access_log=False)
"""For Ray Serve's own log: the replicas log every request already."""

DRAIN_STEP_SECONDS: Final = 0.5
"""Seconds between two checks of a draining replica for open requests."""


@serve.ingress()
class Replica:
    """One process that serves all models of the settings, with the application of `gonogo serve`.

    Raises what `choose.engine` and `compose.providers` raise.
    """

    def __init__(self, settings: Settings, names: Collection[str] | None) -> None:
        logs.configure(settings.log_format)
        self._settings = settings
        self._names = names
        self._engine = None
        if settings.has_engine:
            choose.check_installed()
            _deepen_stacks()
            self._engine, _ = choose.engine(settings, None)
        self._providers = compose.providers(settings, self._engine)

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """The application; called by Ray Serve (see `ray.serve.ingress`)."""
        made = create_app(self._providers, self._settings, names=self._names, engine=self._engine)
        return OneRequestId(made)

    def check_health(self) -> None:
        """Raise if nothing can be generated any more; Ray Serve then replaces the replica."""
        if not self._providers.alive:
            raise RuntimeError("The engine has died.")

    def serving(self) -> tuple[list[str], Sequence[ModelCard]]:
        """A line for each provider, and the models of this process; `gonogo serve` prints them."""
        lines = [line for _, provider in self._providers for line in provider.described()]
        return lines, [] if self._engine is None else self._engine.cards()

    def quirks(self) -> list[tuple[str, str, str, str]]:
        """How broken rules of the providers are handled; see `Provider.quirks`."""
        return [(name, *quirk) for name, provider in self._providers for quirk in provider.quirks()]

    async def __del__(self) -> None:
        """Close the providers after the replica has drained."""
        if hasattr(self, "_providers"):
            await self._providers.close()


class OneRequestId:
    """Wraps an application and removes `x-request-id`, because Ray's proxy adds the header with the same id."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the exchange on, without the header in its response."""

        async def without_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0].lower() != REQUEST_ID.encode()]
                message = {**message, "headers": kept}
            await send(message)

        await self._app(scope, receive, without_id)


def _deepen_stacks() -> None:
    from gonogo_server.compilation.trials import SERVER_STACK  # noqa: PLC0415 - a gateway alone has no grammars

    threading.stack_size(SERVER_STACK)


def deployment(settings: Settings, names: Collection[str] | None, *, cpus: float) -> serve.Application:
    """The application for Ray Serve: replicas with `cpus` cores each that answer under `names` (None: any).

    Raises `BadSettings` for settings that are not supported with replicas.
    """
    check(settings)
    made = serve.deployment(
        Replica,
        name=NAME,
        **_scale(settings),
        max_ongoing_requests=settings.max_connections,
        graceful_shutdown_timeout_s=settings.drain_seconds,
        graceful_shutdown_wait_loop_s=DRAIN_STEP_SECONDS,
        # A missing model will not appear by retrying.
        max_constructor_retry_count=1,
        ray_actor_options={"num_cpus": cpus},
        logging_config=QUIET,
    )
    return made.bind(settings, names)


def _scale(settings: Settings) -> dict[str, Any]:
    least, most = settings.replicas
    if least == most:
        return {"num_replicas": most}
    return {
        "autoscaling_config": {
            "min_replicas": least,
            "initial_replicas": least,
            "max_replicas": most,
            # The number generated at once; further requests would queue in their replica.
            "target_ongoing_requests": settings.max_running,
        }
    }
