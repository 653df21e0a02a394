"""A Llama or a Qwen in a GGUF file, as an mlx_lm model.

Tensor and metadata names are those of the GGUF specification (ggml, docs/gguf.md). mlx reads the tensors:
what is quantised as Q4_0, Q4_1 or Q8_0 comes as packed weights with scales and biases for groups of 32, the
rest as floats. llama.cpp's converter (conversion/llama.py, permute) pairs the rows of a Llama's q and k that rotary
embedding turns together. They are put back to where they were, as an adapter that was made for the original expects
them there. Those of a Qwen are where they were (conversion/qwen.py).
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
"""Weights that share a scale, in every kind of quantisation that mlx reads from GGUF."""

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
"""What is in a block, by the architecture, which mlx_lm calls by the same name."""
OUTSIDE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}

ARGUMENTS = {
    "hidden_size": "embedding_length",
    "num_hidden_layers": "block_count",
    "intermediate_size": "feed_forward_length",
    "num_attention_heads": "attention.head_count",
    "rms_norm_eps": "attention.layer_norm_rms_epsilon",
    "max_position_embeddings": "context_length",
}
"""The arguments of mlx_lm's models that every such file states."""

ROTATION = "rope_freqs.weight"
"""By how much each pair of a head turns slower than usual, in files of Llama 3.1 and later."""

UNWRITABLE = frozenset({EACCES, EPERM, EROFS})
"""What a file says, or its file system, that may be read only."""


COPIED_AT_ONCE = 2**20
"""Bytes."""


def load_gguf(path: Path, dtype: mx.Dtype | None) -> tuple[Any, Any, int]:
    """Model, tokenizer and context length in tokens; the weights as `dtype`, None: as float16, or bfloat16 in a file
    that has some.

    Raises `UnsupportedModel` for another architecture, or another vocabulary than byte-level BPE.
    """
    tensors, metadata = read_file(path)
    arch = architecture(metadata)
    slower = tensors.pop(ROTATION, None) if arch == "llama" else None
    weights = _weights(arch, tensors, _usual(tensors) if dtype is None else dtype)
    arguments = _arguments(arch, metadata, weights) | _rotation(slower, metadata)
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
    # Which leaves out what the model does not know: Qwen2 has no head_dim of its own.
    return model_class(arguments_class.from_dict(arguments))


def architecture(metadata: Mapping[str, Any]) -> str:
    """That of the file, one of `BLOCKS`. Raises `UnsupportedModel` for another."""
    named = metadata.get("general.architecture")
    if named not in BLOCKS:
        *most, last = BLOCKS
        raise UnsupportedModel(
            f"its architecture is {named!r}, but only {', '.join(most)} and {last} are supported in GGUF files"
        )
    return str(named)


def _usual(tensors: Mapping[str, mx.array]) -> mx.Dtype:
    """Half precision that holds what the file does: values of bfloat16 may be beyond float16."""
    return mx.bfloat16 if any(tensor.dtype == mx.bfloat16 for tensor in tensors.values()) else mx.float16


def read_file(path: Path) -> tuple[dict[str, mx.array], dict[str, Any]]:
    """The tensors, and what the file says of its model, by the names of the GGUF specification.

    Raises `ModelUnavailable` if it may be read only, and there is no room for a copy, `UnsupportedModel` for a
    tensor of a type that mlx does not read, or not right, or such a value of the metadata.
    """
    infos = tensor_infos(path)
    for info in infos:
        if info.number not in READ:
            raise _unread(info)
    # Typed as anything that mlx can load from any kind of file.
    tensors: Any
    metadata: Any
    with _writable(path) as name:
        # All of it is in memory then, unlike what mlx loads from other kinds of files.
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
    """See that mlx read all tensors, and put those of BF16 in as they are in the file."""
    for info in infos:
        if info.number == BF16:
            bits = np.fromfile(path, np.uint16, prod(info.shape), offset=info.offset)
            tensors[info.name] = mx.array(bits).view(mx.bfloat16).reshape(info.shape)
        elif info.name not in tensors:
            raise _unread(info)


@contextmanager
def _writable(path: Path) -> Iterator[str]:
    """The file, or a copy that lasts as long as this, as mlx opens it for writing though it only reads.

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
    """Why the file cannot be opened for writing, in the system's words; None if it can. It stays as it is."""
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


def _rotation(slower: mx.array | None, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The argument for heads whose pairs turn slower by factors of their own.

    Which is what mlx_lm does for the kind that it calls longrope, and no more where that is told to begin with the
    whole context.
    """
    if slower is None:
        return {}
    factors: Any = slower.tolist()
    return {
        "rope_scaling": {
            "rope_type": "longrope",
            "short_factor": factors,
            "long_factor": factors,
            "original_max_position_embeddings": metadata.get("llama.context_length"),
        }
    }


def _required(metadata: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 - whatever the file holds
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
    """The weight with its rows in the order of the original: of each head the first half, then the second."""
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
