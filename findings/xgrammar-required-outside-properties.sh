#!/usr/bin/env bash
# What: xgrammar reads `required` of a name that `properties` does not list as "any of the listed ones".
# Versions: xgrammar 0.2.9 with torch 2.15.0 and transformers 5.24.0, which it imports; jsonschema-rs 0.61.2 as the second opinion.
# Expected: of {"properties": {"a": …, "c": …}, "required": ["b"]} objects with a b, such as {"b": 2}, or an error.
# Seen: {"a": 1} and {"c": 1} are admitted, which are no instances; {"b": 2} is refused, even with strict_mode=False, where
#   other properties may follow. Without the `required`, {} is admitted; with it, {} is refused. So the two optional properties are no longer
#   optional, and the required one is. Nothing is raised or logged.
# Matters: a model is kept from the one valid answer and led to another, which the client's validation rejects. Schemas of this shape come
#   from merging: a base with `required`, a variant with `properties`. xgrammar is the default for structured outputs of vLLM
#   and SGLang.
# Valid because: JSON Schema 2020-12 (validation, 6.5.3) has required as names in the instance, listed in `properties` or not;
#   additional properties are allowed unless a schema forbids them.
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


def admits(schema, text, strict):
    grammar = xgrammar.GrammarCompiler(BYTES).compile_json_schema(json.dumps(schema), strict_mode=strict)
    matcher = xgrammar.GrammarMatcher(grammar, terminate_without_stop_token=True)
    return matcher.accept_string(text) and matcher.is_terminated()


def seen(required, strict):
    schema = {"type": "object", "properties": {"a": {"type": "integer"}, "c": {"type": "integer"}}, **required}
    return ", ".join(
        f"{text} {admits(schema, text, strict)} ({jsonschema_rs.is_valid(schema, json.loads(text))})"
        for text in ("{}", '{"a": 1}', '{"c": 1}', '{"b": 2}')
    )


print("nothing required:", seen({}, False))
for strict in (True, False):
    print(f"b required, strict_mode={strict}:", seen({"required": ["b"]}, strict))
PY

stated=$(cat <<'TEXT'
nothing required: {} True (True), {"a": 1} True (True), {"c": 1} True (True), {"b": 2} True (True)
b required, strict_mode=True: {} False (False), {"a": 1} True (False), {"c": 1} True (False), {"b": 2} False (True)
b required, strict_mode=False: {} False (False), {"a": 1} True (False), {"c": 1} True (False), {"b": 2} False (True)
TEXT
)
seen=$(timeout 120 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
