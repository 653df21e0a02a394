"""What is known of a model while it is still on disk."""

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
"""Bytes of a weight, which is of the first kind on a CPU, of the second where it comes out of a GGUF file on a GPU."""

GROUP: Final = 64
"""Weights that share a scale, where a quantised folder does not say it, as in mlx."""


@dataclass(frozen=True, slots=True)
class Foretold:
    """Context length in tokens, the size of the vocabulary (0: unknown), and about how many bytes it will take."""

    context_length: int
    vocabulary: int
    nbytes: int


def foretell(location: Location) -> Foretold:
    """What the model's configuration says. Raises `ModelUnavailable` if it cannot be read."""
    try:
        context, vocabulary, nbytes = _gguf(location) if location.format == "gguf" else _folder(location)
    except Exception as error:
        # As when it is loaded: there are as many ways to stumble as there are files.
        raise refusal(location, error) from error
    return Foretold(context, vocabulary, nbytes)


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
        """mlx_lm writes what a layer has of its own under its name."""
        own = quantization.get(layer)
        size: int = (own if isinstance(own, dict) else quantization).get("group_size", GROUP)
        return size

    try:
        # Only their headers are read.
        tensors = {name: tensor for file in files for name, tensor in _tensors(file).items()}
    except (RuntimeError, ValueError):
        # Loading it will say what is the matter.
        return sum(file.stat().st_size for file in files)
    return FLOAT32 * weights(tensors, group) if on_cpu() else sum(one.nbytes for one in tensors.values())


def _tensors(file: Path) -> dict[str, mx.array]:
    return cast("dict[str, mx.array]", mx.load(str(file)))


def weights(tensors: Mapping[str, mx.array], group: Callable[[str], int]) -> int:
    """How many there are: a scale and perhaps a bias stand for `group` weights of that layer, which are packed."""
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
