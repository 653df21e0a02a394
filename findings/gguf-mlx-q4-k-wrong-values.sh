#!/usr/bin/env bash
# What: mlx reads a Q4_K tensor of a GGUF file with wrong values in every second run of 32.
# Versions: mlx 0.32.4 (CPU build), gguf 0.19.0.
# Expected: the values that the format has, rounded to float16, as with Q2_K and Q6_K, which mlx reads by the same path; or an
#   error, as with Q3_K and Q5_K.
# Seen: of the 8 runs of 32 values in a block, the four that lie in the low halves of the bytes are right and the four in the high
#   halves are wrong. No error and no warning.
# Matters: Q4_K is the type of most GGUF files that people have (Q4_K_M). A model that is loaded this way answers nonsense, and
#   nothing says why. A server on mlx has to refuse the type, or to unpack these blocks itself.
# Valid because: Q4_K is type 12 of the GGUF format's list of tensor types; any bytes are a block of it, and gguf, the format's own
#   package, writes the file and reads the same bytes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python 'mlx[cpu]==0.32.4' gguf==0.19.0 numpy==2.4.6

cat >finding.py <<'PY'
import gguf
import mlx.core as mx
import numpy as np


def load(kind, scales):
    """The values of one block of chance, as mlx loads them and as gguf has them, in runs of 32."""
    _, size = gguf.GGML_QUANT_SIZES[kind]
    block = np.random.default_rng(0).integers(0, 256, (1, size), dtype=np.uint8)
    for begin in scales:  # where the block has numbers of half precision
        block[:, begin : begin + 2] = np.array([0.01], np.float16).view(np.uint8)
    writer = gguf.GGUFWriter("made.gguf", "llama")
    writer.add_tensor("made", block, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    (tensor,) = gguf.GGUFReader("made.gguf").tensors
    if tensor.data.tobytes() != block.tobytes():
        raise SystemExit("gguf reads other bytes: the script is wrong")
    loaded = np.array(mx.load("made.gguf")["made"].astype(mx.float32))
    return loaded.reshape(8, 32), gguf.dequantize(block, kind).reshape(8, 32)


def right(kind, scales):
    loaded, known = load(kind, scales)
    return [run for run in range(8) if np.allclose(loaded[run], known[run], rtol=0.001, atol=0.01)]


TYPES = gguf.GGMLQuantizationType
print(f"right runs of 32 in a block: Q2_K {right(TYPES.Q2_K, (80, 82))}, Q6_K {right(TYPES.Q6_K, (208,))}, "
      f"Q4_K {right(TYPES.Q4_K, (0, 2))}")
PY

stated="right runs of 32 in a block: Q2_K [0, 1, 2, 3, 4, 5, 6, 7], Q6_K [0, 1, 2, 3, 4, 5, 6, 7], Q4_K [0, 2, 4, 6]"
seen=$(timeout 60 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
