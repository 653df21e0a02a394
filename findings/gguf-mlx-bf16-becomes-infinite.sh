#!/usr/bin/env bash
# What: mlx reads BF16 tensors of a GGUF file as float16, so that values beyond 65504 become infinite.
# Versions: mlx 0.32.4 (CPU build), gguf 0.19.0.
# Expected: mlx.core.bfloat16, a type that mlx has and that holds every value of such a tensor. The documentation of
#   mlx.core.load foresees float16 for quantised types that it does not support; BF16 is not quantised.
# Seen: the array's type is float16; 99840 is read as inf and a value of about 1e-8 as 0, without a warning.
# Matters: what is stored as BF16 is often what needs its range. A server on mlx has to look at the file's own tensor types,
#   and to read these bytes itself or refuse the file.
# Valid because: BF16 is type 30 of the GGUF format's list of tensor types; gguf, the format's own package, writes the file
#   and reads the same values back.
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

BF16 = gguf.GGMLQuantizationType.BF16
values = np.tile(np.array([99840.0, 2.0**-27, 1.5], np.float32), (1, 32))  # all of them exact in BF16

writer = gguf.GGUFWriter("wide.gguf", "llama")
writer.add_tensor("wide", gguf.quantize(values, BF16), raw_dtype=BF16)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()

(tensor,) = gguf.GGUFReader("wide.gguf").tensors
kept = gguf.dequantize(tensor.data, BF16).flatten()[:3].tolist()
loaded = mx.load("wide.gguf")["wide"]
in_bfloat16 = mx.array(values, mx.bfloat16).astype(mx.float32).flatten()[:3].tolist()
if kept != values.flatten()[:3].tolist() or in_bfloat16 != kept:
    raise SystemExit("the values are not exact in BF16: the script is wrong")
print(f"mlx loads {loaded.flatten()[:3].astype(mx.float32).tolist()} as {loaded.dtype}, gguf reads {kept}")
PY

stated="mlx loads [inf, 0.0, 1.5] as mlx.core.float16, gguf reads [99840.0, 7.450580596923828e-09, 1.5]"
seen=$(timeout 60 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
