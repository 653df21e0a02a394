"""A Llama or a Qwen in a GGUF file, as an mlx_lm model.

Tensor and metadata names are those of the GGUF specification (ggml, docs/gguf.md). mlx reads the tensors: those
quantised as Q4_0, Q4_1 or Q8_0 as packed weights with scales and biases for groups of 32, the rest as floats. For a
Llama, llama.cpp's converter (conversion/llama.py, permute) places the rows of q and k that rotary embedding rotates
together next to each other. This module restores the original order, which adapters for the original model expect. For
a Qwen the converter keeps the order (conversion/qwen.py).
"""

from __future__ import annotations

import re
import shutil
from contextlib import ExitStack, contextmanager
from errno import EACCES, EPERM, EROFS
from math import prod
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import numpy as np

from gonogo_server.engine.mlx.api import Llama, LlamaArgs, whole
from gonogo_server.engine.mlx.gguf_header import BF16, MISREAD, READ, tensor_infos
from gonogo_server.engine.mlx.gguf_tokenizer import read_tokenizer
from gonogo_server.errors import ModelUnavailable, UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from gonogo_server.engine.mlx.gguf_header import TensorInfo

GROUP = 32
"""Number of weights that share a scale, in every quantisation that mlx reads from GGUF."""

BLOCK = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
HEAD_NORMS = {"attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm"}
BLOCKS = {"llama": BLOCK, "qwen2": BLOCK, "qwen3": BLOCK | HEAD_NORMS}
"""The tensors of a block by architecture; mlx_lm uses the same names for architectures."""
OUTSIDE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}

ARGUMENTS = {
    "hidden_size": "embedding_length",
    "num_hidden_layers": "block_count",
    "intermediate_size": "feed_forward_length",
    "num_attention_heads": "attention.head_count",
    "rms_norm_eps": "attention.layer_norm_rms_epsilon",
    "max_position_embeddings": "context_length",
}
"""Arguments of mlx_lm's models, and the metadata keys that every file has for them."""

ROTATION = "rope_freqs.weight"
"""The tensor with the factors that slow down the rotation of each pair, in files of Llama 3.1 and later."""

UNWRITABLE = frozenset({EACCES, EPERM, EROFS})
"""Error numbers of a file or file system that is read-only."""

COPIED_AT_ONCE = 2**20
"""Size in bytes of the parts in which a file is copied."""


def load_gguf(path: Path, dtype: mx.Dtype | None) -> tuple[Any, Any, int]:
    """Load the model, its tokenizer and its context length in tokens.

    The weights are converted to `dtype`; with None to bfloat16 if the file has such tensors, else to float16. Raises
    `UnsupportedModel` for an unsupported architecture, or for a vocabulary other than byte-level BPE.
    """
    tensors, metadata = read_file(path)
    arch = architecture(metadata)
    slowing = tensors.pop(ROTATION, None) if arch == "llama" else None
    weights = _weights(arch, tensors, _half_precision(tensors) if dtype is None else dtype)
    arguments = _arguments(arch, metadata, weights) | _rotation(slowing, metadata)
    model = _model(arch, arguments)
    if arch == "llama":
        weights = {name: _as_trained(name, weight, arguments) for name, weight in weights.items()}
    model.load_weights(list(weights.items()))
    model.eval()
    return model, read_tokenizer(metadata), arguments["max_position_embeddings"]


def _model(arch: str, arguments: Mapping[str, Any]) -> Any:  # noqa: ANN401 - mlx_lm's models have no common type
    if arch == "llama":
        return Llama(LlamaArgs(**arguments))
    model_class, arguments_class = whole().get_classes({"model_type": arch})
    # `from_dict` ignores arguments that the model does not know: Qwen2 has no head_dim.
    return model_class(arguments_class.from_dict(arguments))


def architecture(metadata: Mapping[str, Any]) -> str:
    """The architecture of the file, a key of `BLOCKS`. Raises `UnsupportedModel` for any other."""
    named = metadata.get("general.architecture")
    if named not in BLOCKS:
        *most, last = BLOCKS
        raise UnsupportedModel(
            f"its architecture is {named!r}, but only {', '.join(most)} and {last} are supported in GGUF files"
        )
    return str(named)


def _half_precision(tensors: Mapping[str, mx.array]) -> mx.Dtype:
    """The half precision type that can hold the file's values: those of bfloat16 may exceed float16."""
    return mx.bfloat16 if any(tensor.dtype == mx.bfloat16 for tensor in tensors.values()) else mx.float16


def read_file(path: Path) -> tuple[dict[str, mx.array], dict[str, Any]]:
    """The tensors and the metadata of the file, by the names of the GGUF specification.

    Raises `ModelUnavailable` if the file is read-only and cannot be copied, and `UnsupportedModel` for a tensor or a
    metadata value of a type that mlx does not read, or reads incorrectly.
    """
    infos = tensor_infos(path)
    for info in infos:
        if info.number not in READ:
            raise _unread(info)
    # mlx types the result as anything that it can load from any kind of file.
    tensors: Any
    metadata: Any
    with _writable(path) as name:
        # mlx reads the whole file into memory, unlike other kinds of files.
        tensors, metadata = mx.load(name, format="gguf", return_metadata=True)
    _complete(path, infos, tensors)
    return tensors, {
        key: value.tolist() if isinstance(value, mx.array) else value for key, value in metadata.items()
    }


def _unread(info: TensorInfo) -> UnsupportedModel:
    how = (
        "half of whose values mlx reads incorrectly"
        if info.number in MISREAD
        else ("which mlx does not support")
    )
    return UnsupportedModel(f"its tensor {info.name} is of the type {info.type}, {how}")


def _complete(path: Path, infos: Sequence[TensorInfo], tensors: dict[str, mx.array]) -> None:
    """Check that mlx read all tensors, and read those of type BF16 from the file without conversion."""
    for info in infos:
        if info.number == BF16:
            bits = np.fromfile(path, np.uint16, prod(info.shape), offset=info.offset)
            tensors[info.name] = mx.array(bits).view(mx.bfloat16).reshape(info.shape)
        elif info.name not in tensors:
            raise _unread(info)


@contextmanager
def _writable(path: Path) -> Iterator[str]:
    """The path of the file, or of a temporary copy if it is read-only, because mlx opens it for writing.

    Source: gguflib.c of mlx 0.32, gguf_open (O_RDWR).
    """
    unwritable = unwritable_because(path)
    if unwritable is None:
        yield str(path)
        return
    with ExitStack() as stack:
        try:
            copy = stack.enter_context(NamedTemporaryFile(prefix="gonogo-", suffix=".gguf"))
            with path.open("rb") as original:
                shutil.copyfileobj(original, copy, COPIED_AT_ONCE)
            copy.flush()
        except OSError as error:
            raise ModelUnavailable(
                f"mlx opens GGUF files for writing, but this one is read-only ({unwritable}), and its "
                f"{path.stat().st_size // 2**20} MiB cannot be copied ({error.strerror}): set TMPDIR "
                "to a folder with enough space"
            ) from None
        yield copy.name


def unwritable_because(path: Path) -> str | None:
    """The system's message why the file cannot be opened for writing, None if it can. The file is not changed."""
    try:
        with path.open("r+b"):
            return None
    except OSError as error:
        if error.errno in UNWRITABLE:
            return error.strerror
        raise


def _arguments(arch: str, metadata: Mapping[str, Any], weights: Mapping[str, mx.array]) -> dict[str, Any]:
    for key in (f"{arch}.rope.scaling.type", f"{arch}.expert_count"):
        if metadata.get(key) not in {None, "none", 0}:
            raise UnsupportedModel(f"its {key} is {metadata[key]!r}, which is not supported in GGUF files")
    arguments = {name: _required(metadata, f"{arch}.{key}") for name, key in ARGUMENTS.items()}
    heads = arguments["num_attention_heads"]
    return arguments | {
        "model_type": arch,
        "num_key_value_heads": metadata.get(f"{arch}.attention.head_count_kv", heads),
        "head_dim": metadata.get(f"{arch}.attention.key_length", arguments["hidden_size"] // heads),
        "rope_theta": metadata.get(f"{arch}.rope.freq_base", 10000.0),
        "vocab_size": weights["model.embed_tokens.weight"].shape[0],
        "tie_word_embeddings": "lm_head.weight" not in weights,
    }


def _rotation(slowing: mx.array | None, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The argument for rotations that are slowed down by a factor for each pair.

    mlx_lm's "longrope" applies such factors, and changes nothing else if its original context is the whole context.
    """
    if slowing is None:
        return {}
    factors: Any = slowing.tolist()
    return {
        "rope_scaling": {
            "rope_type": "longrope",
            "short_factor": factors,
            "long_factor": factors,
            "original_max_position_embeddings": metadata.get("llama.context_length"),
        }
    }


def _required(metadata: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 - any type of GGUF
    if key not in metadata:
        raise ModelUnavailable(f"its metadata has no {key}")
    return metadata[key]


def _weights(arch: str, tensors: Mapping[str, mx.array], dtype: mx.Dtype) -> dict[str, mx.array]:
    parts = (name.rpartition(".") for name in tensors)
    return {
        f"{_layer(arch, layer)}.{part}": _floats(tensors, layer, part).astype(dtype)
        for layer, _, part in parts
        if part not in {"scales", "biases"}
    }


def _as_trained(name: str, weight: mx.array, arguments: Mapping[str, Any]) -> mx.array:
    """The weight with its rows in the original order: the first half of each head, then the second."""
    if ".q_proj." not in name and ".k_proj." not in name:
        return weight
    heads = arguments["num_attention_heads"]
    if ".k_proj." in name:
        heads = arguments["num_key_value_heads"]
    return weight.reshape(heads, -1, 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def _floats(tensors: Mapping[str, mx.array], layer: str, part: str) -> mx.array:
    tensor, scales = tensors[f"{layer}.{part}"], tensors.get(f"{layer}.scales")
    if part != "weight" or scales is None:
        return tensor
    # A row of 32-bit words holds GROUP weights for each scale.
    bits = tensor.shape[-1] // scales.shape[-1]
    biases = tensors[f"{layer}.biases"].astype(mx.float32)
    return mx.dequantize(tensor, scales.astype(mx.float32), biases, group_size=GROUP, bits=bits)


def _layer(arch: str, name: str) -> str:
    if block := re.fullmatch(r"blk\.(\d+)\.(\w+)", name):
        number, layer = block.groups()
        if layer in BLOCKS[arch]:
            return f"model.layers.{number}.{BLOCKS[arch][layer]}"
    elif name in OUTSIDE:
        return OUTSIDE[name]
    raise UnsupportedModel(f"its tensor {name} does not belong to a plain {arch}")
