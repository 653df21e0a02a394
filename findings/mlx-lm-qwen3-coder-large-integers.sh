#!/usr/bin/env bash
# What: mlx_lm's parser for Qwen3-Coder's tool calls changes integers beyond 2^53, and turns the text "null" of a string parameter into
#   a null.
# Versions: mlx-lm 0.32.2, mlx 0.32.4 (CPU build).
# Expected: the number that the model wrote, and the text that it wrote, as the parameters are declared: an integer and a string.
# Seen: 9007199254740993 comes back as 9007199254740992, 12345678901234567890 as 12345678901234567168, and "null" as None. No error. The
#   same numbers written as JSON, in the format of Qwen2.5 and Hermes (mlx_lm's json_tools), come back as they are.
# Matters: ids of many services have 64 bits (Discord, X, Snowflake keys). The tool is called with another id. A null where the schema
#   says string fails the client's validation; "null" is a surname, and a word of SQL.
# Valid because: Qwen3-Coder's chat template writes each argument as its text between <parameter=NAME> and </parameter>; JSON Schema's
#   integer has no bound, and a string may be any text.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python mlx-lm==0.32.2 'mlx[cpu]==0.32.4'

cat >finding.py <<'PY'
import json

from mlx_lm.tool_parsers import json_tools, qwen3_coder

PROPERTIES = {"id": {"type": "integer"}, "name": {"type": "string"}}
TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": PROPERTIES}}}


def qwen(name, value):
    call = f"<function=find>\n<parameter={name}>\n{value}\n</parameter>\n</function>"
    return qwen3_coder.parse_tool_call(call, [TOOL])["arguments"][name]


def hermes(name, value):
    return json_tools.parse_tool_call(json.dumps({"name": "find", "arguments": {name: value}}), [TOOL])["arguments"][name]


ids = (7, 9007199254740993, 12345678901234567890)
print(f"as JSON: {[hermes('id', one) for one in ids]}, {hermes('name', 'null')!r}; "
      f"Qwen3-Coder: {[qwen('id', one) for one in ids]}, {qwen('name', 'null')!r}, {qwen('name', 'nulls')!r}")
PY

stated="as JSON: [7, 9007199254740993, 12345678901234567890], 'null'; Qwen3-Coder: [7, 9007199254740992, 12345678901234567168], None, 'nulls'"
seen=$(timeout 120 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
