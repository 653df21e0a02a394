"""Replicas on this machine: a separate Ray instance, which ends with them."""

from __future__ import annotations

import logging
import os
import re
import signal
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

# Read when Ray is imported, and by the processes that it starts. Nothing is reported to the makers of Ray.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# A command that `uv run` started is no reason to upload the working directory, and to run workers by `uv run` too.
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
# What Ray's HTTP proxy calls before it listens.
os.environ.setdefault(
    "RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH", "gonogo_server.replicas.connections.install"
)
# Lines of two replicas that look alike are two lines; none has colours for a file.
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
"""Bytes of shared memory for requests and answers over 100 KB, between the proxy and the replicas."""

OF_CONNECTIONS: Final = ("head_timeout", "max_connections")
"""Settings that Ray's proxy, a separate process, reads as variables; see `connections`."""

REFUSED: Final = re.compile(r"gonogo_server\.errors\.(?:BadSettings|ModelUnavailable): (.+)")
"""How Ray quotes what kept a replica from starting."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What the replicas serve."""

    lines: Sequence[str]
    cards: Sequence[ModelCard]
    quirks: Sequence[tuple[str, str, str, str]]


@contextmanager
def replicas(settings: Settings, port: int) -> Iterator[Serving]:
    """Serve on this port of `settings.host` while it is open; afterwards the requests that are open may end.

    At an exception the replicas are stopped at once. Raises `BadSettings` if they cannot start.
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
        signal.signal(signal.SIGTERM, handler)  # Ray has set one of its own
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
    """Let what is open end, for as long as the settings of the deployment say."""
    with suppress(ray.exceptions.RayError, RayServeException):
        serve.delete(NAME)


def _cores(settings: Settings) -> int:
    """For each replica; Ray has numerical libraries use no more."""
    return max(1, (os.cpu_count() or 1) // settings.replicas.most)


def _why(error: Exception) -> str:
    """The sentence of the replica that could not start, or all that Ray says."""
    found = REFUSED.findall(str(error))
    return found[-1] if found else f"Ray Serve could not start the replicas: {error}"
