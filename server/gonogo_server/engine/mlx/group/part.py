"""A process' part of a model, with the caches that it computes with: what orders are about, in every process."""

from __future__ import annotations

import copy
import hashlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import mlx.core as mx

from gonogo_server.engine.locate import locate_all
from gonogo_server.engine.mlx.api import make_prompt_cache, trim_prompt_cache
from gonogo_server.engine.mlx.device import on_cpu
from gonogo_server.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gonogo_server.engine.locate import Location
    from gonogo_server.engine.mlx.group.join import Group

SHARED_HEADS = ("num_attention_heads", "num_key_value_heads")
"""What of a model's configuration the number of processes has to divide."""


class Part:
    """Caches go by a number that process 0 gives them; each process has one under it, for its part of the model."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - mlx_lm has no types
        self._model = model
        self.caches: dict[int, list[Any]] = {}

    def obey(self, order: Sequence[Any]) -> Any:  # noqa: ANN401 - by order
        """Do what the first of `order` names, with the rest of it."""
        name, *given = order
        return ORDERS[name](self, *given)

    def make(self, number: int) -> None:
        """Begin an empty cache."""
        self.caches[number] = make_prompt_cache(self._model)

    def copy(self, source: int, number: int) -> None:
        """Begin a cache as a copy of another."""
        self.caches[number] = copy.deepcopy(self.caches[source])

    def trim(self, number: int, count: int) -> None:
        """Forget the last `count` tokens of a cache."""
        trim_prompt_cache(self.caches[number], count)

    def drop(self, numbers: Iterable[int]) -> None:
        """Let go of caches."""
        for number in numbers:
            del self.caches[number]

    def call(self, number: int, tokens: list[int]) -> mx.array:
        """The logits after each of `tokens`, of shape [1, tokens, vocabulary], which join what is in the cache.

        They are computed when it returns: each process has to take part in the same sums in the same order,
        and may not leave out one whose result it has no use for.
        """
        cache = self.caches[number]
        logits: mx.array = self._model(mx.array(tokens)[None], cache=cache)
        mx.eval(logits, [layer.state for layer in cache])
        return logits


ORDERS: Mapping[str, Any] = {
    "make": Part.make,
    "copy": Part.copy,
    "trim": Part.trim,
    "drop": Part.drop,
    "call": Part.call,
}


def the_model(models: Sequence[str], *, download: bool) -> Location:
    """Where the one model is that a group serves. Raises `ModelUnavailable` where it is none that it can."""
    location, *others = locate_all(models, download=download)
    if others:
        raise ModelUnavailable("Several processes together serve one model: name one, or start one process.")
    if location.type == "embedding":
        raise ModelUnavailable(
            f"{location.id} makes vectors, and several processes together serve models that generate:"
            " serve it by one process."
        )
    if location.adapter is not None:
        raise ModelUnavailable(
            f"{location.id} is an adapter, and several processes together serve whole models: fuse it into its base"
            " with mlx_lm.fuse."
        )
    return location


def split(model: Any, group: Group) -> None:  # noqa: ANN401 - mlx_lm has no types
    """Leave of the model what this process computes, as mlx_lm's `sharded_load` does it.

    Not by that itself: it loads half precision onto a CPU, and overlooks weights that are missing. Before the weights
    are evaluated, so that only this part of them comes into memory. Raises `ModelUnavailable` where it cannot be.
    """
    if not hasattr(model, "shard"):
        raise ModelUnavailable("mlx_lm does not split models of its kind over processes; serve it by one")
    arguments = getattr(model, "args", None)
    for name in SHARED_HEADS:
        heads = getattr(arguments, name, None)
        if isinstance(heads, int) and heads % group.size:
            raise ModelUnavailable(
                f"{group.size} processes cannot share {heads} ({name}); take a number that can"
            )
    model.shard(group.handle)


def facts(location: Location) -> str:
    """What has to be the same in every process: versions, precision, and the model, by its configuration and sizes."""
    files = [location.path] if location.format == "gguf" else sorted(location.path.glob("*.safetensors"))
    digest = hashlib.sha256(repr([(file.name, file.stat().st_size) for file in files]).encode())
    if location.format == "mlx":
        digest.update((location.path / "config.json").read_bytes())
    where = "CPU" if on_cpu() else "GPU"
    return f"mlx {version('mlx')}, mlx-lm {version('mlx-lm')}, {where}, model {digest.hexdigest()[:12]}"
