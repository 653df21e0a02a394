#!/usr/bin/env bash
# What: mlx_lm's parser for GLM's tool calls takes the indentation off string arguments, and turns digits into a number where a string
#   parameter may also be null.
# Versions: mlx-lm 0.32.2, mlx 0.32.4 (CPU build), pydantic 2.13.4.
# Expected: the text between <arg_value> and </arg_value> as it is, where the schema says that it is a string.
# Seen: "    return 1\n" comes back as "return 1". "90210" stays a text for a parameter of type string and becomes the number 90210
#   for one that Pydantic writes for `str | None`.
# Matters: editing tools of coding agents send lines of files: in Python and YAML the indentation is the meaning, and a search for the
#   text to replace fails or hits another place. A number where a text was declared fails the client's validation, for some zip codes and
#   phone numbers and not for others.
# Valid because: GLM's chat templates (4.5 to 4.7) write a string argument as it is, without quotes, and everything else as JSON; and
#   `anyOf` with a string and null is what Pydantic, and so most Python frameworks for tools, write for an optional string.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python mlx-lm==0.32.2 'mlx[cpu]==0.32.4' pydantic==2.13.4

cat >finding.py <<'PY'
from mlx_lm.tool_parsers import glm47
from pydantic import BaseModel


class Edit(BaseModel):
    text: str
    zip: str
    optional_zip: str | None = None


TOOL = {"type": "function", "function": {"name": "edit", "parameters": Edit.model_json_schema()}}


def argument(name, value):
    call = f"edit<arg_key>{name}</arg_key><arg_value>{value}</arg_value>"
    return glm47.parse_tool_call(call, [TOOL])["arguments"][name]


print(f"{argument('text', '    return 1' + chr(10))!r}, {argument('zip', '90210')!r}, {argument('optional_zip', '90210')!r}, "
      f"{argument('optional_zip', 'SW1A')!r}")
PY

stated="'return 1', '90210', 90210, 'SW1A'"
seen=$(timeout 120 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
