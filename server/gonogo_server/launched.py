"""Where `mlx.launch` has started this process as one of several that serve a model together."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from gonogo_server.errors import BadSettings

if TYPE_CHECKING:
    from gonogo_server.engine.mlx.group.join import Group
    from gonogo_server.engine.mlx.group.leader import LeadingEngine
    from gonogo_server.settings import Settings

RANKS: Final = {"MLX_RANK", "OMPI_COMM_WORLD_RANK"}
"""What says in the environment that there are several: of mlx.launch for its own backends, and of mpirun."""

MANAGING: Final = ("preload", "model_memory_bytes", "idle_unload_seconds")
"""Settings about which models are in memory when."""


def group(settings: Settings) -> Group | None:
    """The processes, once all of them are there; None, and mlx is not even imported, where this is the only one.

    Raises `BadSettings` where they do not come together, or the settings are not for several.
    """
    if settings.engine != "mlx" or not RANKS & os.environ.keys():
        return None
    from gonogo_server.engine.mlx.group.join import join  # noqa: PLC0415 - see above

    joined = join()
    if joined is not None:
        _check(settings)
    return joined


def lead(settings: Settings, group: Group) -> LeadingEngine:
    """The engine of process 0. Raises `ModelUnavailable` or `BadSettings`."""
    from gonogo_server.engine.mlx.group.leader import lead  # noqa: PLC0415 - mlx takes a second
    from gonogo_server.engine.mlx.residents import Limits  # noqa: PLC0415 - see above

    limits = Limits(settings.max_running, settings.kv_cache_bytes, settings.prefill_step)
    return lead(settings.models, group, download=settings.download, limits=limits)


def follow(settings: Settings, group: Group) -> bool:
    """What every other process does, until process 0 ends: whether that said so, rather than just be gone."""
    from gonogo_server.engine.mlx.group.follower import follow  # noqa: PLC0415 - mlx takes a second

    return follow(settings.models, group, download=settings.download)


def _check(settings: Settings) -> None:
    default = type(settings).model_fields
    for name in MANAGING:
        if getattr(settings, name) != default[name].default:
            raise BadSettings(
                f"Several processes together keep their model in memory: leave the setting '{name}' out,"
                " or start one process."
            )
