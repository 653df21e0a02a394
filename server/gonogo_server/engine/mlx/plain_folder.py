"""A plain Llama in a folder, loaded without transformers, whose import takes a second and a half.

A folder is plain if its files determine the model without the special cases of mlx_lm (`load_model`) and transformers
(`AutoTokenizer`): a Llama whose weights are floats or affine-quantised, and a tokenizer that is all in tokenizer.json.
Tests compare the result with that of the libraries. All other folders are left to them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mlx.core as mx
from mlx.utils import tree_flatten

from gonogo_server.engine.mlx.api import Llama, LlamaArgs
from gonogo_server.engine.mlx.folder_tokenizer import read_object, read_tokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gonogo_server.engine.mlx.plain_tokenizer import PlainTokenizer


@dataclass(frozen=True, slots=True)
class Plain:
    """What a plain folder contains; `config` is that of the model, with the end tokens of generation_config.json."""

    model: Llama
    tokenizer: PlainTokenizer
    config: Mapping[str, Any]


def load_plain(folder: Path, dtype: mx.Dtype) -> Plain | None:
    """Load the model, with weights of `dtype`, and the tokenizer; None if the folder is not plain or not readable.

    The weights are read when they are evaluated. Raises `ValueError` if they do not fit the configuration.
    """
    try:
        config = read_object(folder, "config.json") | _end_tokens(folder)
        tokenizer = read_tokenizer(folder, config) if _is_plain_llama(folder, config) else None
    except (OSError, ValueError, TypeError):
        return None  # the libraries name the fault
    if tokenizer is None:
        return None
    arguments: Any = LlamaArgs  # mlx_lm has no types
    model: Any = Llama(arguments.from_dict(config))
    weights = _floats(folder, model, dtype)
    if weights is None:
        return None
    model.load_weights(list(model.sanitize(weights).items()))
    model.eval()
    return Plain(model, tokenizer, config)


def _end_tokens(folder: Path) -> dict[str, Any]:
    """The end tokens of generation_config.json, which replace those of config.json."""
    if not (folder / "generation_config.json").exists():
        return {}
    found = read_object(folder, "generation_config.json").get("eos_token_id")
    return {"eos_token_id": found} if found else {}


def _is_plain_llama(folder: Path, config: Mapping[str, Any]) -> bool:
    stored = config.get("quantization")
    elsewhere = config.get("quantization_config") is not None or (folder / "hf_quant_config.json").exists()
    return (
        config.get("model_type") == "llama"
        and not config.keys() & {"model_file", "quantize_activations", "text_config"}
        and "__float__" not in json.dumps(config)
        and (_is_uniform(stored) if stored is not None else not elsewhere)
    )


def _is_uniform(quantization: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether all layers are quantised in the same way, with a scale and a bias for each group of weights."""
    return (
        isinstance(quantization, dict)
        and quantization.keys() <= {"group_size", "bits", "mode"}
        and quantization.get("mode", "affine") == "affine"
    )


def _floats(folder: Path, model: Llama, dtype: mx.Dtype) -> dict[str, mx.array] | None:
    """The weights by name, unpacked where they are quantised; None if some are unknown, or not affine."""
    stored: dict[str, mx.array] = {}
    for file in sorted(folder.glob("model*.safetensors")):
        read: Any = mx.load(str(file))
        stored.update(read)
    packed = [name.removesuffix(".scales") for name in stored if name.endswith(".scales")]
    flat: list[tuple[str, Any]] = tree_flatten(model.parameters())  # type: ignore[assignment]  # a dict where asked for
    widths = {name: tensor.shape[-1] for name, tensor in flat}
    if not all(_is_affine(stored, layer) and f"{layer}.weight" in widths for layer in packed):
        return None
    for layer in packed:
        weight, scales, biases = (stored.pop(f"{layer}.{part}") for part in ("weight", "scales", "biases"))
        stored[f"{layer}.weight"] = _unpacked(weight, scales, biases, widths[f"{layer}.weight"])
    return {name: tensor.astype(dtype) for name, tensor in stored.items()}


def _is_affine(stored: Mapping[str, mx.array], layer: str) -> bool:
    return f"{layer}.biases" in stored and stored[f"{layer}.scales"].dtype != mx.uint8


def _unpacked(weight: mx.array, scales: mx.array, biases: mx.array, width: int) -> mx.array:
    # A row of 32-bit words holds `width` weights. mlx_lm trusts the shapes too, not the configuration.
    bits, group_size = weight.shape[-1] * 32 // width, width // scales.shape[-1]
    return mx.dequantize(weight, scales, biases, group_size=group_size, bits=bits)
