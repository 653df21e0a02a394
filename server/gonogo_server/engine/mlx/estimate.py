"""Estimates the context length, vocabulary and size of a model from its files, without loading it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import mlx.core as mx

from gonogo_server.engine.mlx.device import on_cpu
from gonogo_server.engine.mlx.embedding_folder import read_embedding_folder
from gonogo_server.engine.mlx.gguf import GROUP as GGUF_GROUP
from gonogo_server.engine.mlx.gguf import architecture, read_file
from gonogo_server.engine.mlx.load import context_length
from gonogo_server.engine.mlx.refusal import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from gonogo_server.engine.locate import Location

FLOAT32, FLOAT16 = 4, 2
"""Bytes of a weight: float32 on a CPU, float16 for a GGUF file on a GPU."""

GROUP: Final = 64
"""Default number of quantised weights that share a scale, as in mlx."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Context length in tokens, size of the vocabulary (0: unknown), and approximate size in memory in bytes."""

    context_length: int
    vocabulary: int
    nbytes: int


def estimate(location: Location) -> Estimate:
    """Read the estimate from the model's files. Raises `ModelUnavailable` if they cannot be read."""
    try:
        context, vocabulary, nbytes = _gguf(location) if location.format == "gguf" else _folder(location)
    except Exception as error:
        # An invalid file can make its reader raise any exception.
        raise refusal(location, error) from error
    return Estimate(context, vocabulary, nbytes)


def _gguf(location: Location) -> tuple[int, int, int]:
    tensors, metadata = read_file(location.path)
    nbytes = weights(tensors, lambda _: GGUF_GROUP) * (FLOAT32 if on_cpu() else FLOAT16)
    return (
        metadata[f"{architecture(metadata)}.context_length"],
        len(metadata["tokenizer.ggml.tokens"]),
        nbytes,
    )


def _folder(location: Location) -> tuple[int, int, int]:
    config = json.loads((location.path / "config.json").read_text())
    nbytes = _folder_bytes(location.path, config.get("quantization") or {})
    if location.type == "embedding":
        folder = read_embedding_folder(location.path)
        return folder.context_length, folder.vocabulary, nbytes
    size = config.get("vocab_size", config.get("text_config", {}).get("vocab_size", 0))
    return context_length(config), size, nbytes


def _folder_bytes(folder: Path, quantization: Mapping[str, Any]) -> int:
    files = list(folder.glob("*.safetensors"))

    def group(layer: str) -> int:
        """The group size of a layer: its own, which mlx_lm writes under its name, or that of the folder."""
        own = quantization.get(layer)
        size: int = (own if isinstance(own, dict) else quantization).get("group_size", GROUP)
        return size

    try:
        # This reads only the headers.
        tensors = {name: tensor for file in files for name, tensor in _tensors(file).items()}
    except (RuntimeError, ValueError):
        # Loading the model will report the error.
        return sum(file.stat().st_size for file in files)
    return FLOAT32 * weights(tensors, group) if on_cpu() else sum(one.nbytes for one in tensors.values())


def _tensors(file: Path) -> dict[str, mx.array]:
    return cast("dict[str, mx.array]", mx.load(str(file)))


def weights(tensors: Mapping[str, mx.array], group: Callable[[str], int]) -> int:
    """The number of weights; in a quantised layer, each scale stands for `group` weights, which are packed."""
    count = 0
    for name, tensor in tensors.items():
        layer, _, part = name.rpartition(".")
        scales = tensors.get(f"{layer}.scales")
        if scales is None:
            count += tensor.size
        elif part == "scales":
            count += tensor.size * group(layer)
        elif part not in {"weight", "biases"}:
            count += tensor.size
    return count
