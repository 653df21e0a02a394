"""Chooses the engine from the settings; imports only that one, because mlx takes a second and may be missing."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future
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
"""The embedding model that the scripted engine serves by default, so that embedding clients can be tested too."""

NEEDED: Final = ("mlx", "llguidance")


def check_installed() -> None:
    """Raise `BadSettings` if the packages of the engines are not installed, as in a gateway."""
    if any(find_spec(name) is None for name in NEEDED):
        raise BadSettings(
            'MLX is not installed: run pip install "gonogo[server]", or forward requests to another '
            "server with --provider NAME=URL."
        )


def check_replicable(settings: Settings) -> None:
    """Raise `BadSettings` if `mlx.launch` started this process, and `ModelUnavailable` if a model is not found.

    With `download`, missing models are downloaded here, once for all replicas.
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
    """The group of processes that this one belongs to; None if it was started alone.

    Raises `BadSettings` if the other processes cannot be reached.
    """
    if settings.engine == "scripted":
        return None
    from gonogo_server.engine.mlx.group import launched  # noqa: PLC0415 - see above

    return launched.group()


def work(settings: Settings, group: Group) -> bool:
    """Run a worker process of a group, any process but 0; see `launched.work`."""
    from gonogo_server.engine.mlx.group import launched  # noqa: PLC0415 - see above

    return launched.work(settings, group)


def opening(settings: Settings, group: Group | None) -> Future[tuple[Engine, str]]:
    """The result or exception of `engine`, which is called on another thread."""
    opened: Future[tuple[Engine, str]] = Future()

    def open_engine() -> None:
        try:
            opened.set_result(engine(settings, group))
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            opened.set_exception(error)

    if settings.engine != "scripted":
        # Here, because threads that import the same packages can get modules that are not complete.
        import gonogo_server.engine.mlx.engine  # noqa: F401, PLC0415 - see above
    # A daemon, so that the process can end at Ctrl-C before the engine is open.
    threading.Thread(target=open_engine, name="gonogo-start", daemon=True).start()
    return opened


def engine(settings: Settings, group: Group | None) -> tuple[Engine, str]:
    """The started engine, and a description of what it computes with, for people ("" for none).

    Raises `BadSettings` and `ModelUnavailable`.
    """
    if settings.engine == "scripted":
        from gonogo_server.engine.scripted import ScriptedEngine  # noqa: PLC0415 - see above

        if settings.models:
            return ScriptedEngine(settings.models), ""
        return ScriptedEngine(embedding_models=(SCRIPTED_EMBEDDER,)), ""
    made = alone(settings) if group is None else _coordinator(settings, group)
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


def _coordinator(settings: Settings, group: Group) -> MlxEngine:
    from gonogo_server.engine.mlx.group import launched  # noqa: PLC0415 - see above

    return launched.coordinate(settings, group)
