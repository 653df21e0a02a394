#!/usr/bin/env bash
# What: mlx_lm's parsers for Gemma's tool calls raise on an argument whose name has a hyphen (Gemma 4) and on a text that holds a closing
#   brace (FunctionGemma), and cut an object off (FunctionGemma).
# Versions: mlx-lm 0.32.2, mlx 0.32.4 (CPU build).
# Expected: the arguments that the call has: {"max-results": 3}, {"text": "a {b} c"}, {"place": {"city": "Oslo"}, "days": 3}.
# Seen: the first two raise; of the third comes {"place": "{city:<escape>Oslo<escape>"} and the number of days is gone. The same call with
#   max_results, and the same text and object in Gemma 4's form, are read.
# Matters: a server that reads calls with these parsers answers a well-formed call with an error, or calls the tool with half of its
#   arguments. Names with hyphens are common where tools are made from HTTP headers or command lines, braces where the text is code.
# Valid because: Gemma 4's chat template writes the names of arguments bare and texts between <|"|>; FunctionGemma's writes texts between
#   <escape>, and objects in braces, as its macro for arguments does for mappings. JSON Schema lets a property have any name.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python mlx-lm==0.32.2 'mlx[cpu]==0.32.4'

cat >finding.py <<'PY'
import json

from mlx_lm.tool_parsers import function_gemma, gemma4


def told(parser, call):
    try:
        return json.dumps(parser.parse_tool_call(call)["arguments"])
    except ValueError as error:
        return type(error).__name__


print("Gemma 4:", told(gemma4, "call:find{max_results:3}"), told(gemma4, "call:find{max-results:3}"),
      told(gemma4, 'call:find{text:<|"|>a {b} c<|"|>}'), told(gemma4, 'call:find{place:{city:<|"|>Oslo<|"|>},days:3}'))
print("FunctionGemma:", told(function_gemma, "call:find{text:<escape>a b c<escape>}"),
      told(function_gemma, "call:find{text:<escape>a {b} c<escape>}"),
      told(function_gemma, "call:find{place:{city:<escape>Oslo<escape>},days:3}"))
PY

stated='Gemma 4: {"max_results": 3} JSONDecodeError {"text": "a {b} c"} {"place": {"city": "Oslo"}, "days": 3}
FunctionGemma: {"text": "a b c"} ValueError {"place": "{city:<escape>Oslo<escape>"}'
seen=$(timeout 120 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
