#!/usr/bin/env bash
# What: mlx reads a GGUF file up to the first tensor of a newer type and returns what came before, without a word.
# Versions: mlx 0.32.4 (CPU build), gguf 0.19.0.
# Expected: all tensors, or an error that names the type that mlx does not know. For other types it raises
#   ("gguf_tensor_to_f16 failed").
# Seen: of three tensors, the second of type MXFP4, mlx.core.load returns the first only. The third, a plain F32 one, is
#   missing too. gguf's own reader lists all three. TQ1_0, TQ2_0 and NVFP4 do the same.
# Matters: a server that loads weights this way builds a model of the tensors that it was given. Compare what came with the
#   tensor count in the file's header before serving.
# Valid because: MXFP4 is type 39 of the GGUF format's list of tensor types; gguf, the format's own package, writes the file.
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

MXFP4 = gguf.GGMLQuantizationType.MXFP4
values_in_block, bytes_of_block = gguf.GGML_QUANT_SIZES[MXFP4]
row = np.ones((1, 2 * values_in_block), np.float32)
zeros = np.zeros((1, 2 * bytes_of_block), np.uint8)  # two blocks whose 32 values are 0

writer = gguf.GGUFWriter("three.gguf", "llama")
writer.add_tensor("first", row)
writer.add_tensor("second", zeros, raw_dtype=MXFP4)
writer.add_tensor("third", row)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()

listed = [tensor.name for tensor in gguf.GGUFReader("three.gguf").tensors]
try:
    loaded = sorted(mx.load("three.gguf"))
except Exception as error:
    loaded = repr(error)
print(f"gguf lists {listed}, mlx loads {loaded}")
PY

stated="gguf lists ['first', 'second', 'third'], mlx loads ['first']"
seen=$(timeout 60 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
