"""The application for a Ray cluster: `serve run gonogo_server.replicas:app`, or `import_path` of a Serve config."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo_server.connection.own_names import ANY, own_names
from gonogo_server.replicas.deployment import deployment
from gonogo_server.replicas.refusals import check_cluster
from gonogo_server.settings import Settings, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ray import serve


def application(args: Mapping[str, object]) -> serve.Application:
    """The application for Ray Serve. Settings come from `args`, then environment variables, then the config file.

    Raises `BadSettings`.
    """
    settings = read(args)
    check_cluster(settings)
    return deployment(settings, _names(settings), cpus=1)


def _names(settings: Settings) -> frozenset[str] | None:
    """Only names that were set, because the address and the names of Ray Serve are not known here."""
    return own_names(settings) if settings.allowed_hosts and ANY not in settings.allowed_hosts else None
