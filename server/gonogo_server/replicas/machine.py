"""Replicas on this machine: a separate Ray instance, which ends with them."""

from __future__ import annotations

import logging
import os
import re
import signal
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

# Ray reads these when it is imported, as do the processes that it starts. This one turns off its usage reports.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# Without this, Ray under `uv run` uploads the working directory and starts its workers by `uv run` too.
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
# Ray's HTTP proxy calls this before it listens.
os.environ.setdefault(
    "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH", "gonogo_server.replicas.connections.install"
)
# Log lines of replicas are kept even if they are equal, and have no colours.
os.environ.setdefault("RAY_DEDUP_LOGS", "0")
os.environ.setdefault("RAY_COLOR_PREFIX", "0")

import ray
from ray import serve
from ray.serve.config import HTTPOptions, ProxyLocation
from ray.serve.exceptions import RayServeException

from gonogo_server.connection.own_names import own_names
from gonogo_server.errors import BadSettings
from gonogo_server.replicas.deployment import NAME, QUIET, deployment
from gonogo_server.settings import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gonogo_server.engine.base import ModelCard
    from gonogo_server.settings import Settings

OBJECT_STORE: Final = 256 * 2**20
"""Bytes of shared memory between proxy and replicas, for requests and answers over 100 KB."""

OF_CONNECTIONS: Final = ("head_timeout", "max_connections")
"""Settings that Ray's proxy, a separate process, reads from variables; see `connections`."""

REFUSED: Final = re.compile(r"gonogo_server\.errors\.(?:BadSettings|ModelUnavailable): (.+)")
"""Ray's quotation of the error that kept a replica from starting."""


@dataclass(frozen=True, slots=True)
class Serving:
    """The description of what the replicas serve."""

    lines: Sequence[str]
    cards: Sequence[ModelCard]
    quirks: Sequence[tuple[str, str, str, str]]


@contextmanager
def replicas(settings: Settings, port: int) -> Iterator[Serving]:
    """Serve on this port of `settings.host` within the context; at its end, open requests may finish.

    After an exception the replicas are stopped at once. Raises `BadSettings` if they cannot start.
    """
    cores = _cores(settings)
    application = deployment(settings, own_names(settings), cpus=cores)
    handler = signal.getsignal(signal.SIGTERM)
    for name in OF_CONNECTIONS:
        os.environ[f"{PREFIX}{name.upper()}"] = str(getattr(settings, name))
    try:
        ray.init(
            address="local",
            num_cpus=cores * settings.replicas.most,
            include_dashboard=False,
            object_store_memory=OBJECT_STORE,
            logging_level=logging.ERROR,
        )
        signal.signal(signal.SIGTERM, handler)  # Ray has set its own
        yield _started(application, settings.host, port)
        _drain()
    finally:
        ray.shutdown()


def _started(application: serve.Application, host: str, port: int) -> Serving:
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    try:
        serve.start(
            proxy_location=ProxyLocation.HeadOnly,
            http_options=HTTPOptions(host=host, port=port),
            logging_config=QUIET,
        )
        handle = serve.run(application, name=NAME, route_prefix="/")
        lines, cards = handle.serving.remote().result()
        return Serving(lines, cards, handle.quirks.remote().result())
    except (RuntimeError, RayServeException) as error:
        raise BadSettings(_why(error)) from None


def _drain() -> None:
    """Let open requests finish, within the time limit of the deployment."""
    with suppress(ray.exceptions.RayError, RayServeException):
        serve.delete(NAME)


def _cores(settings: Settings) -> int:
    """Cores for each replica; Ray limits numerical libraries to them."""
    return max(1, (os.cpu_count() or 1) // settings.replicas.most)


def _why(error: Exception) -> str:
    """The error of the replica that could not start, or else Ray's whole message."""
    found = REFUSED.findall(str(error))
    return found[-1] if found else f"Ray Serve could not start the replicas: {error}"
