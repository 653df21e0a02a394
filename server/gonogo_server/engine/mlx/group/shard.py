"""The shard of one process: which model, how it is split, and what must be equal in every process."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from gonogo_server.engine.locate import locate_all
from gonogo_server.engine.mlx.device import on_cpu
from gonogo_server.engine.mlx.load import load
from gonogo_server.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.engine.locate import Location
    from gonogo_server.engine.mlx.group.join import Group
    from gonogo_server.engine.mlx.load import Loaded
    from gonogo_server.engine.mlx.residents import Limits

SHARED_HEADS = ("num_attention_heads", "num_key_value_heads")
"""Configuration values that the number of processes has to divide."""


def the_model(models: Sequence[str], *, download: bool) -> Location:
    """Locate the only model that a group serves. Raises `ModelUnavailable` if a group cannot serve it."""
    location, *others = locate_all(models, download=download)
    if others:
        raise ModelUnavailable(
            "Several processes together serve one model: give one model, or start one process."
        )
    if location.type == "embedding":
        raise ModelUnavailable(
            f"{location.id} is an embedding model, but several processes together serve only "
            "generative models: use one process."
        )
    if location.adapter is not None:
        raise ModelUnavailable(
            f"{location.id} is an adapter, but several processes together serve only whole models: "
            "fuse it into its base with mlx_lm.fuse."
        )
    return location


def load_shard(location: Location, limits: Limits, group: Group) -> Loaded:
    """Load the shard of this process; return once every process has loaded its shard of the same model.

    Raises `ModelUnavailable` if any process cannot start, with the reason of the first one.
    """
    loaded = load(location, lambda model: split(model, group))
    group.agree(facts(location, limits))
    return loaded


def split(model: Any, group: Group) -> None:  # noqa: ANN401 - mlx_lm has no types
    """Reduce the model to the shard of this process, as mlx_lm's `sharded_load` does.

    `sharded_load` itself is not used: it loads half precision onto a CPU, and ignores missing weights. Call this before
    the weights are evaluated, so that only the shard is loaded into memory. Raises `ModelUnavailable` if the model
    cannot be split.
    """
    if not hasattr(model, "shard"):
        raise ModelUnavailable("mlx_lm does not split this architecture over processes; use one process")
    arguments = getattr(model, "args", None)
    for name in SHARED_HEADS:
        heads = getattr(arguments, name, None)
        if isinstance(heads, int) and heads % group.size:
            raise ModelUnavailable(
                f"{group.size} processes cannot divide {heads} ({name}); use a number that divides it"
            )
    model.shard(group.handle)


def facts(location: Location, limits: Limits) -> str:
    """What must be equal in all processes: versions, device, limits, and a digest of configuration and file sizes."""
    files = [location.path] if location.format == "gguf" else sorted(location.path.glob("*.safetensors"))
    digest = hashlib.sha256(repr([(file.name, file.stat().st_size) for file in files]).encode())
    if location.format == "mlx":
        digest.update((location.path / "config.json").read_bytes())
    where = "CPU" if on_cpu() else "GPU"
    versions = f"mlx {version('mlx')}, mlx-lm {version('mlx-lm')}"
    return f"{versions}, {where}, model {digest.hexdigest()[:12]}, {limits}"
