# ruff: noqa: INP001 - a script, not a package
"""Write the model of a GGUF file as a folder with float32 weights, for MLX and transformers servers.

    uv run python tasks/unpack_model.py MODEL FOLDER

MODEL is an id or a path, as for `gonogo serve --model`. The reference server's own reader is used, so the rows of q and
k have their original order.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import mlx.core as mx
from gonogo_server.engine.locate import locate
from gonogo_server.engine.mlx.gguf import load_gguf
from mlx.utils import tree_flatten

WEIGHTS = "model.safetensors"


def unpack(model: str, folder: Path) -> None:
    """Write the folder; files of the same names are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    network, tokenizer, context_length = load_gguf(locate(model).path, mx.float32)
    _write_weights(dict(tree_flatten(network.parameters())), folder)
    ends = sorted(tokenizer.eos_token_ids)
    ids = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": ends,
        "pad_token_id": tokenizer.eos_token_id,
    }
    arguments = {name: value for name, value in asdict(network.args).items() if value is not None}
    kind = {"architectures": ["LlamaForCausalLM"], "hidden_act": "silu", "torch_dtype": "float32"}
    _write(folder / "config.json", arguments | kind | ids)
    _write(folder / "generation_config.json", ids)
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    text = tokenizer.backend_tokenizer.id_to_token
    begin, end = text(tokenizer.bos_token_id), text(tokenizer.eos_token_id)
    _write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": begin,
            "eos_token": end,
            "pad_token": end,
            "model_max_length": context_length,
            "clean_up_tokenization_spaces": False,
            "chat_template": tokenizer.chat_template,
        },
    )


def _write_weights(tensors: dict[str, mx.array], folder: Path) -> None:
    mx.save_safetensors(str(folder / WEIGHTS), tensors, {"format": "pt"})
    # mlx_lm lists only models with an index.
    size = sum(tensor.nbytes for tensor in tensors.values())
    places = dict.fromkeys(sorted(tensors), WEIGHTS)
    _write(folder / f"{WEIGHTS}.index.json", {"metadata": {"total_size": size}, "weight_map": places})


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")


if __name__ == "__main__":
    unpack(sys.argv[1], Path(sys.argv[2]))
