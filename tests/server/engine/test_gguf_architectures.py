"""Small random models, written as llama.cpp's converter writes them: the logits equal those of the same folder."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import mlx.core as mx
import numpy as np
import pytest
from gguf import MODEL_ARCH, MODEL_ARCH_NAMES, MODEL_TENSOR, TENSOR_NAMES, GGUFWriter, get_tensor_name_map
from gonogo_server.engine.locate import Location
from gonogo_server.engine.mlx.api import whole
from gonogo_server.engine.mlx.estimate import estimate
from gonogo_server.engine.mlx.gguf import load_gguf
from gonogo_server.engine.mlx.load import load
from gonogo_server.errors import ModelUnavailable
from mlx.utils import tree_flatten
from tokenizers import pre_tokenizers

if TYPE_CHECKING:
    from pathlib import Path

LAYERS, HEADS, KEY_HEADS, HIDDEN = 2, 4, 2, 64
TOKENS = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "th", "<|begin|>", "<|im_end|>"]
NORMAL, CONTROL = 1, 3
PROMPT = [[(7 * place) % 256 for place in range(200)]]

CONFIG: Final = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": LAYERS,
    "intermediate_size": 96,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KEY_HEADS,
    "rms_norm_eps": 1e-5,
    "vocab_size": len(TOKENS),
    "max_position_embeddings": 512,
    "rope_theta": 5000.0,
    "tie_word_embeddings": False,
}
LLAMA3_SCALING: Final = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 128,
}
KINDS: Final[dict[str, tuple[MODEL_ARCH, dict[str, Any]]]] = {
    "llama": (MODEL_ARCH.LLAMA, {}),
    "llama 3.1": (MODEL_ARCH.LLAMA, {"rope_scaling": LLAMA3_SCALING}),
    "qwen2": (MODEL_ARCH.QWEN2, {}),
    "qwen2 tied": (MODEL_ARCH.QWEN2, {"tie_word_embeddings": True}),
    "qwen3": (MODEL_ARCH.QWEN3, {"head_dim": 32}),
}


def configuration(kind: str) -> dict[str, Any]:
    arch, more = KINDS[kind]
    return CONFIG | {"model_type": MODEL_ARCH_NAMES[arch]} | more


def folder(path: Path, kind: str) -> dict[str, mx.array]:
    """A model in MLX format; returns its weights, each of which affects the logits."""
    config = configuration(kind)
    model_class, arguments = whole().get_classes(config)
    shapes = tree_flatten(model_class(arguments.from_dict(config)).parameters())
    weights = {
        name: mx.random.normal(weight.shape, scale=0.3, key=mx.random.key(place)) + float("norm" in name)
        for place, (name, weight) in enumerate(shapes)
    }
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config))
    mx.save_safetensors(str(path / "model.safetensors"), weights)
    return weights


def converted(name: str, weight: np.ndarray, arch: MODEL_ARCH) -> np.ndarray:
    """The rows as the converter writes them: the two halves of a Llama's heads of q and k are interleaved."""
    for part, heads in (("q_proj", HEADS), ("k_proj", KEY_HEADS)):
        if arch == MODEL_ARCH.LLAMA and part in name:
            halves = weight.reshape(heads, 2, -1, *weight.shape[1:])
            return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(weight.shape))
    return weight


def factors(config: dict[str, Any]) -> np.ndarray:
    """The factor by which each pair of a head rotates slower, as the converter computes it for Llama 3.1."""
    scaling, size = config["rope_scaling"], HIDDEN // HEADS
    context, factor = scaling["original_max_position_embeddings"], scaling["factor"]
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    found = []
    for place in range(0, size, 2):
        turns = context / (2 * math.pi * config["rope_theta"] ** (place / size))
        smooth = min(max((turns - low) / (high - low), 0.0), 1.0)
        found.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(found, np.float32)


ROTATION = f"{TENSOR_NAMES[MODEL_TENSOR.ROPE_FREQS]}.weight"


def both(path: Path, kind: str) -> tuple[Path, Path]:
    """The same model as a folder and as a file."""
    weights = folder(path / "folder", kind)
    config = configuration(kind)
    more = {ROTATION: factors(config)} if "rope_scaling" in config else {}
    return path / "folder", file(path / "made.gguf", kind, weights, more)


def file(path: Path, kind: str, weights: dict[str, mx.array], more: dict[str, np.ndarray]) -> Path:
    """The output of the converter: tensors and metadata under the names of the package `gguf`."""
    arch, config = KINDS[kind][0], configuration(kind)
    writer = GGUFWriter(path, MODEL_ARCH_NAMES[arch])
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_rope_freq_base(config["rope_theta"])
    if "head_dim" in config:
        writer.add_key_length(config["head_dim"])
        writer.add_value_length(config["head_dim"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe" if arch == MODEL_ARCH.LLAMA else "qwen2")
    writer.add_token_list(TOKENS)
    writer.add_token_types([NORMAL] * 257 + [CONTROL] * 2)
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(257)
    writer.add_eos_token_id(258)
    names = get_tensor_name_map(arch, LAYERS)
    for name, weight in weights.items():
        theirs = names.get_name(name, try_suffixes=(".weight", ".bias"))
        writer.add_tensor(theirs, converted(name, np.array(weight), arch))
    for name, values in more.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_gives_the_logits_of_the_same_model_in_mlx_format(tmp_path: Path, kind: str) -> None:
    original, made = both(tmp_path, kind)
    expected, _ = whole().load_model(original)
    model, _, context_length = load_gguf(made, mx.float32)
    logits = model(mx.array(PROMPT))
    assert context_length == CONFIG["max_position_embeddings"]
    assert float(mx.std(logits)) > 0.1
    assert mx.allclose(logits, expected(mx.array(PROMPT)), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_served_file_generates_as_the_folder_does(tmp_path: Path, kind: str) -> None:
    original, made = both(tmp_path, kind)
    served = load(Location("made", "gguf", made))
    expected, _ = whole().load_model(original)
    assert mx.allclose(served.model(mx.array(PROMPT)), expected(mx.array(PROMPT)), rtol=1e-3, atol=1e-3)
    assert served.text.end_tokens == {258}
    assert served.text.vocabulary == len(TOKENS)
    assert estimate(Location("made", "gguf", made)).context_length == served.text.context_length


def test_the_slower_turns_of_llama_3_1_are_not_passed_over(tmp_path: Path) -> None:
    weights = folder(tmp_path / "folder", "llama 3.1")
    slower = factors(configuration("llama 3.1"))
    assert (slower[0], slower[-1]) == (1, 8)
    assert np.any((slower > 1) & (slower < 8))
    logits = [
        load_gguf(file(tmp_path / "made.gguf", "llama", weights, more), mx.float32)[0](mx.array(PROMPT))
        for more in ({}, {ROTATION: slower})
    ]
    assert not mx.allclose(*logits, rtol=1e-1, atol=1e-1)


def test_a_tensor_of_another_architecture_is_refused_by_name(tmp_path: Path) -> None:
    weights = folder(tmp_path / "folder", "qwen2")
    made = file(tmp_path / "made.gguf", "qwen2", weights, {ROTATION: np.ones(8, np.float32)})
    with pytest.raises(ModelUnavailable, match="its tensor rope_freqs does not belong to a plain qwen2"):
        load(Location("made", "gguf", made))
