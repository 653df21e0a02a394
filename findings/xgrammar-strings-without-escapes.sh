#!/usr/bin/env bash
# What: xgrammar writes the pattern of a string without JSON's escapes, so its grammar admits only text that is no JSON, and lets no
#   escape into a string that has a length.
# Versions: xgrammar 0.2.9 with torch 2.15.0 and transformers 5.24.0, which it imports; jsonschema-rs 0.61.2 as the second opinion.
# Expected: for a pattern that demands quotes the string "\"x\"", as without the pattern; and a line break in a string of at most ten
#   characters.
# Seen: for the pattern ^"x"$ the grammar admits ""x"" and nothing else. With maxLength 10 it admits "a b" and neither "a\nb" nor "a\"b";
#   without maxLength all three.
# Matters: an answer that is held to such a pattern cannot be read as JSON by any client. With a length, a model can write no line break,
#   quote or backslash, and writes something else instead. xgrammar is the default for structured outputs of vLLM and SGLang.
# Valid because: JSON Schema's pattern and maxLength are about the string, not about how JSON writes it; the second opinion says that
#   each of the texts that are refused is an instance.
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


def seen(schema, texts):
    def instance(text):
        try:
            return jsonschema_rs.is_valid(schema, json.loads(text))
        except ValueError:
            return "no JSON"

    return ", ".join(f"{text} {admits(schema, text)} ({instance(text)})" for text in texts)


LINES = ['"a b"', r'"a\nb"', r'"a\"b"']
print("pattern:", seen({"type": "string", "pattern": '^"x"$'}, [r'"\"x\""', '""x""']))
print("free:", seen({"type": "string"}, LINES))
print("at most ten:", seen({"type": "string", "maxLength": 10}, LINES))
PY

stated=$(cat <<'TEXT'
pattern: "\"x\"" False (True), ""x"" True (no JSON)
free: "a b" True (True), "a\nb" True (True), "a\"b" True (True)
at most ten: "a b" True (True), "a\nb" False (True), "a\"b" False (True)
TEXT
)
seen=$(timeout 120 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
