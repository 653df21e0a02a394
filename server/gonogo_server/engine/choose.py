"""Chooses the engine from the settings; only that one is imported, because mlx takes a second and may be missing."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from gonogo_server.engine.locate import locate_all
from gonogo_server.errors import BadSettings

if TYPE_CHECKING:
    from gonogo_server.engine.base import Engine
    from gonogo_server.engine.mlx.engine import MlxEngine
    from gonogo_server.engine.mlx.group.join import Group
    from gonogo_server.settings import Settings

SCRIPTED_EMBEDDER = "scripted-embedder"
"""What the scripted engine serves beside its usual model, so that clients of embeddings can be tried as well."""

NEEDED: Final = ("mlx", "llguidance")


def check_installed() -> None:
    """Raise `BadSettings` if what engines need is not installed, as in a gateway."""
    if any(find_spec(name) is None for name in NEEDED):
        raise BadSettings(
            'MLX is not installed: run pip install "gonogo[server]", or forward requests to another '
            "server with --provider NAME=URL."
        )


def check_replicable(settings: Settings) -> None:
    """Raise `BadSettings` if `mlx.launch` started this process, and `ModelUnavailable` where a model is not here.

    What may be downloaded is, once for all replicas.
    """
    if settings.engine == "scripted":
        return
    from gonogo_server.engine.mlx.group.launched import RANKS  # noqa: PLC0415 - see above

    if RANKS & os.environ.keys():
        raise BadSettings(
            "A model that mlx.launch splits over several processes cannot have replicas: remove --replicas."
        )
    locate_all(settings.models, download=settings.download)


def group(settings: Settings) -> Group | None:
    """The processes that compute together, where this was started as one of several; None if it was not.

    Raises `BadSettings` if they do not come together.
    """
    if settings.engine == "scripted":
        return None
    from gonogo_server.engine.mlx.group import launched  # noqa: PLC0415 - see above

    return launched.group()


def work(settings: Settings, group: Group) -> bool:
    """What every process of a group but process 0 does; see `launched.work`."""
    from gonogo_server.engine.mlx.group import launched  # noqa: PLC0415 - see above

    return launched.work(settings, group)


def engine(settings: Settings, group: Group | None) -> tuple[Engine, str]:
    """The engine, ready to be asked, and what it computes with, for people ("": nothing worth telling).

    Raises `BadSettings` and `ModelUnavailable`, with one sentence.
    """
    if settings.engine == "scripted":
        from gonogo_server.engine.scripted import ScriptedEngine  # noqa: PLC0415 - see above

        if settings.models:
            return ScriptedEngine(settings.models), ""
        return ScriptedEngine(embedding_models=(SCRIPTED_EMBEDDER,)), ""
    made = alone(settings) if group is None else _together(settings, group)
    return made, made.description


def alone(settings: Settings) -> MlxEngine:
    """The MLX engine of a single process."""
    from gonogo_server.engine.mlx.engine import Budget, open_engine  # noqa: PLC0415 - see above
    from gonogo_server.engine.mlx.residents import limits  # noqa: PLC0415 - see above

    preload = settings.preload
    return open_engine(
        settings.models,
        download=settings.download,
        limits=limits(settings),
        budget=Budget(
            None if preload is True else preload or (),
            settings.model_memory_bytes,
            settings.idle_unload_seconds,
        ),
    )


def _together(settings: Settings, group: Group) -> MlxEngine:
    from gonogo_server.engine.mlx.group import launched  # noqa: PLC0415 - see above

    return launched.coordinate(settings, group)
