"""Detects that `mlx.launch` started this process as one of several that serve a model together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from gonogo_server.errors import BadSettings

if TYPE_CHECKING:
    from gonogo_server.engine.mlx.group.coordinator import GroupEngine
    from gonogo_server.engine.mlx.group.join import Group
    from gonogo_server.settings import Settings

RANKS: Final = {"MLX_RANK", "OMPI_COMM_WORLD_RANK"}
"""Environment variables that mlx.launch (for its own backends) and mpirun set if there are several processes."""

MANAGING: Final = ("preload", "model_memory_bytes", "idle_unload_seconds")
"""Settings that control which models are in memory."""


def group() -> Group | None:
    """Wait for all processes of the group; return None if this is the only one.

    Raises `BadSettings` if the others cannot be reached.
    """
    if not RANKS & os.environ.keys():
        return None
    from gonogo_server.engine.mlx.group.join import join  # noqa: PLC0415 - most servers do not need it

    return join()


def coordinate(settings: Settings, group: Group) -> GroupEngine:
    """The engine of process 0. Raises `ModelUnavailable` or `BadSettings`."""
    from gonogo_server.engine.mlx.group.coordinator import coordinate  # noqa: PLC0415 - see above
    from gonogo_server.engine.mlx.residents import limits  # noqa: PLC0415 - see above

    _check(settings)
    return coordinate(settings.models, group, download=settings.download, limits=limits(settings))


def work(settings: Settings, group: Group) -> bool:
    """Run a worker process until process 0 stops; return False if a step failed before that.

    Raises `ModelUnavailable` or `BadSettings`.
    """
    from gonogo_server.engine.mlx.group.worker import work  # noqa: PLC0415 - see above
    from gonogo_server.engine.mlx.residents import limits  # noqa: PLC0415 - see above

    _check(settings)
    return work(settings.models, group, download=settings.download, limits=limits(settings))


def _check(settings: Settings) -> None:
    default = type(settings).model_fields
    for name in MANAGING:
        if getattr(settings, name) != default[name].default:
            raise BadSettings(
                f"Several processes together keep their model in memory: remove the setting '{name}', "
                "or start one process."
            )
