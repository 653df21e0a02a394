#!/usr/bin/env bash
# What: lm-format-enforcer takes oneOf of plain types for an object, a line end in an enum for itself, and "no items" for "one".
# Versions: lm-format-enforcer 0.11.3, jsonschema-rs 0.61.2.
# Expected: from a schema, the texts that are valid by it, or fewer.
# Seen: {"oneOf": [integer, string]} admits {} alone, neither 1 nor "a" (anyOf of the same two works). An enum of a text with a
#   line end admits only a raw line end within the quotation marks, which is no JSON. "maxItems": 0 admits an array of one item.
#   Nothing is raised or logged.
# Matters: a server that enforces response_format or strict tools with it returns what its client's validation rejects, and the
#   model is not to blame. oneOf is what unions become in schemas of several generators.
# Valid because: the three are of JSON Schema draft 2020-12 (oneOf, enum, maxItems); jsonschema-rs judges the same texts.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python lm-format-enforcer==0.11.3 jsonschema-rs==0.61.2

cat >finding.py <<'PY'
import json

import jsonschema_rs
from lmformatenforcer import JsonSchemaParser

TYPES = [{"type": "integer"}, {"type": "string"}]
INTEGERS = {"type": "array", "items": {"type": "integer"}}
TRIED = [
    ("anyOf", {"anyOf": TYPES}, ["1", '"a"', "{}"]),
    ("oneOf", {"oneOf": TYPES}, ["1", '"a"', "{}"]),
    ("enum", {"enum": ["one\ntwo"]}, ['"one\\ntwo"', '"one\ntwo"']),
    ("maxItems 1", {**INTEGERS, "maxItems": 1}, ["[]", "[1]", "[1,2]"]),
    ("maxItems 0", {**INTEGERS, "maxItems": 0}, ["[]", "[1]"]),
]


def admitted(schema, text):
    parser = JsonSchemaParser(schema)
    for character in text:
        if character not in parser.get_allowed_characters():
            return False
        parser = parser.add_character(character)
    return parser.can_end()


def valid(schema, text):
    try:
        return jsonschema_rs.is_valid(schema, json.loads(text))
    except json.JSONDecodeError:
        return False


for name, schema, texts in TRIED:
    said = {True: [], False: []}
    for text in texts:
        said[admitted(schema, text) == valid(schema, text)].append(repr(text)[1:-1])
    print(f"{name}: right {' '.join(said[True]) or '-'}; wrong {' '.join(said[False]) or '-'}")
PY

stated='anyOf: right 1 "a" {}; wrong -
oneOf: right -; wrong 1 "a" {}
enum: right -; wrong "one\\ntwo" "one\ntwo"
maxItems 1: right [] [1] [1,2]; wrong -
maxItems 0: right []; wrong [1]'
seen=$(timeout 60 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
