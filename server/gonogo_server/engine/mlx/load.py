"""Loads a model from files, in the precision that suits the device.

A CPU computes fastest in float32, because half precision and quantised products use slow scalar code there (mlx 0.32 on
x86-64). On a GPU the weights of a folder stay as stored; those of a GGUF file become float16.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mlx.core as mx
from mlx.utils import tree_flatten

from gonogo_server.engine.mlx.adapter import adapt
from gonogo_server.engine.mlx.api import whole
from gonogo_server.engine.mlx.device import on_cpu
from gonogo_server.engine.mlx.folder_tokenizer import keep_words
from gonogo_server.engine.mlx.gguf import load_gguf
from gonogo_server.engine.mlx.packed.weights import Weights, can_be_packed, join
from gonogo_server.engine.mlx.plain_folder import load_plain
from gonogo_server.engine.mlx.refusal import refusal
from gonogo_server.engine.mlx.rope import look_up_rotations
from gonogo_server.engine.mlx.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from gonogo_server.engine.locate import Location

CONTEXT_KEYS = ("max_position_embeddings", "n_positions", "max_sequence_length", "max_seq_len", "seq_length")
"""Keys of a config.json that give the context length in tokens."""

UNKNOWN_CONTEXT = 4096
"""The context length in tokens if the config.json does not give one."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model (an mlx_lm module), its tokenizer, and the size of its weights in bytes."""

    model: Any
    text: Text
    nbytes: int
    packed: Weights | None = None
    """The weights for packed passes; None if they do not support the model."""


def load(location: Location, prepare: Callable[[Any], None] | None = None) -> Loaded:
    """Load the model and evaluate its weights. Raises `ModelUnavailable` with the reason of a failure.

    `prepare` may change the model (an mlx_lm module, with its adapter) before its weights are read from the file.
    """
    read = load_gguf if location.format == "gguf" else _load_folder
    dtype = mx.float32 if on_cpu() else None
    try:
        model, tokenizer, context_length = read(location.path, dtype)
        if location.adapter is not None:
            adapt(model, location.adapter, dtype)
        if prepare is not None:
            prepare(model)
        # Joined before evaluation, so that no weight is in memory both separately and joined.
        packed = join(model) if on_cpu() and can_be_packed(model) else None
        mx.eval(model.parameters())
        text = Text(tokenizer, context_length, vocabulary(model, tokenizer))
        nbytes = sum(array.nbytes for array in _arrays(model))
        if on_cpu() and packed is None:
            look_up_rotations(model, context_length)
        return Loaded(model, text, nbytes, packed)
    except Exception as error:
        # An invalid file can make its reader raise any exception.
        raise refusal(location, error) from error


def context_length(config: Mapping[str, Any]) -> int:
    """The context length in tokens from a config.json, at its top level or under `text_config`."""
    for part in (config, config.get("text_config", {})):
        for key in CONTEXT_KEYS:
            if isinstance(value := part.get(key), int):
                return value
    return UNKNOWN_CONTEXT


def vocabulary(model: Any, tokenizer: Any) -> int:  # noqa: ANN401 - mlx_lm has no types
    """The number of logits of the model according to its configuration, else the number of tokens of the tokenizer."""
    arguments = getattr(model, "args", None)
    for part in (arguments, getattr(arguments, "text_config", None)):
        size = part.get("vocab_size") if isinstance(part, dict) else getattr(part, "vocab_size", None)
        if isinstance(size, int):
            return size
    return len(tokenizer)


def _arrays(model: Any) -> list[mx.array]:  # noqa: ANN401 - mlx_lm has no types
    flat: list[tuple[str, Any]] = tree_flatten(model.parameters())  # type: ignore[assignment]  # a dict where asked for
    return [array for _, array in flat]


def _load_folder(path: Path, dtype: mx.Dtype | None) -> tuple[Any, Any, int]:
    if dtype is not None and (plain := load_plain(path, dtype)):
        return plain.model, plain.tokenizer, context_length(plain.config)
    mlx_lm = whole()
    model, config = mlx_lm.load_model(path, lazy=True)
    if dtype is not None:
        model = mlx_lm.dequantize_model(model)
        model.set_dtype(dtype)
    tokenizer = mlx_lm.load_tokenizer(
        path,
        # Set explicitly, because by default transformers asks on the terminal.
        {"trust_remote_code": False},
        eos_token_ids=config.get("eos_token_id"),
    )
    keep_words(tokenizer, path)
    return model, tokenizer, context_length(config)
