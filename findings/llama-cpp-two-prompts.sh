#!/usr/bin/env bash
# What: llama.cpp's server begins the stream of two prompts with the event "data: null", on which the official Python client's
#   readers fail.
# Versions: xllamacpp 2026.10.11549 (llama.cpp's own server as a Python class), openai 3.57.0, gguf 0.19.0.
# Expected: chunks of text_completion only, as in the stream of one prompt, and as both prompts' answers come without a stream.
# Seen: the first event's data is the JSON null, and all that follow are chunks with choices. The client yields None for it, so
#   that the usual loop over chunk.choices raises AttributeError before any text.
# Matters: a batch of prompts works whole and breaks streamed. A reader that wants both has to skip what is no object.
# Valid because: OpenAI's reference lets prompt be an array of strings and stream be true; nothing excludes the two together.
#   The model is a tiny one of random weights, written here with gguf, the format's own package.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export NO_PROXY=127.0.0.1
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python xllamacpp==2026.10.11549 gguf==0.19.0 numpy==2.4.6 openai==3.57.0

cat >model.py <<'PY'
"""A Llama of one layer, random weights and a vocabulary of the 256 bytes."""

import gguf
import numpy as np

WIDTH, HEADS = 64, 2
plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
spelled = dict(zip(plain, map(chr, plain), strict=True))
for number, byte in enumerate(sorted(set(range(256)) - set(plain))):
    spelled[byte] = chr(256 + number)  # how byte-level vocabularies write the bytes that do not print
tokens = [*(spelled[byte] for byte in range(256)), "<|end|>", "ab"]

writer = gguf.GGUFWriter("tiny.gguf", "llama")
writer.add_context_length(256)
writer.add_embedding_length(WIDTH)
writer.add_block_count(1)
writer.add_feed_forward_length(WIDTH)
writer.add_head_count(HEADS)
writer.add_head_count_kv(HEADS)
writer.add_layer_norm_rms_eps(1e-5)
writer.add_rope_dimension_count(WIDTH // HEADS)
writer.add_vocab_size(len(tokens))
writer.add_tokenizer_model("gpt2")
writer.add_tokenizer_pre("default")
writer.add_token_list(tokens)
writer.add_token_types([gguf.TokenType.NORMAL] * 256 + [gguf.TokenType.CONTROL, gguf.TokenType.NORMAL])
writer.add_token_merges(["a b"])
writer.add_bos_token_id(256)
writer.add_eos_token_id(256)

random = np.random.default_rng(1)
block = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
for name, rows in {"token_embd": len(tokens), "output": len(tokens), **{f"blk.0.{one}": WIDTH for one in block}}.items():
    writer.add_tensor(f"{name}.weight", (random.standard_normal((rows, WIDTH)) * 0.05).astype(np.float32))
for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
    writer.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
PY

cat >finding.py <<'PY'
import json
import os
import urllib.request

import openai
import xllamacpp

parameters = xllamacpp.CommonParams()
parameters.model.path = "tiny.gguf"
parameters.model_alias = {"m"}
parameters.n_ctx = 512
parameters.n_parallel = 2
parameters.cpuparams.n_threads = 1
parameters.port = 0
server = xllamacpp.Server(parameters)


def events(prompt):
    """What the data of each event of the stream is."""
    body = {"model": "m", "prompt": prompt, "max_tokens": 2, "stream": True}
    asked = urllib.request.Request(
        f"{server.listening_address}/v1/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [one if one in ("null", "[DONE]") else json.loads(one)["object"] for one in data]


def loop(prompt):
    client = openai.OpenAI(base_url=f"{server.listening_address}/v1", api_key="none", max_retries=0, timeout=20)
    read = 0
    try:
        for chunk in client.completions.create(model="m", prompt=prompt, max_tokens=2, stream=True):
            read += len(chunk.choices) > 0
    except Exception as error:
        return f"{type(error).__name__} after {read} chunks"
    return "reads it"


def told(prompt):
    seen = events(prompt)
    rest = set(seen[1:])
    return f"first {seen[0]}, then {sorted(rest)}, the client: {loop(prompt)}"


print(f"one prompt: {told('a')}; two prompts: {told(['a', 'b'])}", flush=True)
os._exit(0)  # the server's threads do not end by themselves
PY
venv/bin/python model.py

stated="one prompt: first text_completion, then ['[DONE]', 'text_completion'], the client: reads it; two prompts: first null, then ['[DONE]', 'text_completion'], the client: AttributeError after 0 chunks"
seen=$(timeout 60 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
