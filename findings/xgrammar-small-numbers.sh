#!/usr/bin/env bash
# What: xgrammar keeps six decimals of a number's bounds. A range that lies between two of them becomes the empty text.
# Versions: xgrammar 0.2.9 with torch 2.15.0 and transformers 5.24.0, which it imports; jsonschema-rs 0.61.2 as the second opinion.
# Expected: of an object with a rate from 0.0000001 to 0.0000005 the text {"rate": 0.0000003}, or an error.
# Seen: the only text that the grammar admits for the number is the empty one: {"rate": } is complete, {"rate": 0.0000003} is
#   refused. The same with bounds of 0.1234567 and 0.1234569. Above 0 (exclusiveMinimum), every number below 0.000001 is refused. From
#   0.000001 to 0.000005 all is well. Nothing is raised or logged.
# Matters: learning rates, tolerances, probabilities and prices of tokens are bounded like this. Every answer to such a schema is no
#   JSON, with any model. xgrammar is the default for structured outputs of vLLM and SGLang.
# Valid because: JSON Schema 2020-12 (validation, 6.2) has any number as minimum and maximum. The second opinion says that the refused
#   objects are instances.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python xgrammar==0.2.9 torch==2.15.0 transformers==5.24.0 jsonschema-rs==0.61.2

cat >finding.py <<'PY'
import json

import jsonschema_rs
import xgrammar

BYTES = xgrammar.TokenizerInfo(
    [bytes([byte]) for byte in range(256)] + [b"</s>"], vocab_type=xgrammar.VocabType.RAW, stop_token_ids=[256]
)


def admits(schema, text):
    grammar = xgrammar.GrammarCompiler(BYTES).compile_json_schema(json.dumps(schema))
    matcher = xgrammar.GrammarMatcher(grammar, terminate_without_stop_token=True)
    return matcher.accept_string(text) and matcher.is_terminated()


def instance(schema, text):
    try:
        return jsonschema_rs.is_valid(schema, json.loads(text))
    except ValueError:
        return "no JSON"


def seen(number, bounds):
    schema = {
        "type": "object",
        "properties": {"rate": {"type": "number", **bounds}},
        "required": ["rate"],
        "additionalProperties": False,
    }
    texts = (f'{{"rate": {number}}}', '{"rate": }')
    return ", ".join(f"{text} {admits(schema, text)} ({instance(schema, text)})" for text in texts)


print("1e-6 to 5e-6:", seen("0.000003", {"minimum": 1e-6, "maximum": 5e-6}))
print("1e-7 to 5e-7:", seen("0.0000003", {"minimum": 1e-7, "maximum": 5e-7}))
print("0.1234567 to 0.1234569:", seen("0.1234568", {"minimum": 0.1234567, "maximum": 0.1234569}))
print("above 0:", seen("0.0000003", {"exclusiveMinimum": 0}))
PY

stated=$(cat <<'TEXT'
1e-6 to 5e-6: {"rate": 0.000003} True (True), {"rate": } False (no JSON)
1e-7 to 5e-7: {"rate": 0.0000003} False (True), {"rate": } True (no JSON)
0.1234567 to 0.1234569: {"rate": 0.1234568} False (True), {"rate": } True (no JSON)
above 0: {"rate": 0.0000003} False (True), {"rate": } False (no JSON)
TEXT
)
seen=$(timeout 120 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
