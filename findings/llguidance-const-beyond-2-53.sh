#!/usr/bin/env bash
# What: llguidance turns an integer const beyond 2^53 into another number, and its grammar then admits nothing else.
# Versions: llguidance 1.9.1, tokenizers 0.23.3; jsonschema-rs 0.61.0 as the second opinion.
# Expected: the number of the schema, or an error. The project's notes on JSON Schema promise a grammar that conforms or an
#   error, and their list of departures does not name this one.
# Seen: of the schema {"const": 1234567890123456789} the only text that the grammar admits is 1234567890123456768, which
#   jsonschema-rs refuses by the same schema. The right text is refused. An enum and a minimum do the same.
# Matters: identifiers of 64 bits in an enum or const are common in tool schemas. A server with "strict" output then answers,
#   every time, with an identifier that was never offered. Refuse such a schema, or write the number into the grammar oneself.
# Valid because: JSON Schema 2020-12 (core, 4.2.1) has numbers of arbitrary precision and compares them by value. RFC 8259,
#   section 6, warns of readers that round them, but calls the text valid.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python llguidance==1.9.1 tokenizers==0.23.3 jsonschema-rs==0.61.0

cat >finding.py <<'PY'
import json

import jsonschema_rs
from llguidance import LLMatcher, LLTokenizer
from tokenizers import Tokenizer, decoders, models, pre_tokenizers


def bytes_only() -> LLTokenizer:
    """A tokenizer of the 256 bytes and an end token."""
    spelled = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab={**spelled, "<|end|>": 256}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|end|>"])
    return LLTokenizer(tokenizer.to_str(), eos_token=256)


TOKENIZER = bytes_only()
WANTED = "1234567890123456789"
SCHEMA = f'{{"const": {WANTED}}}'


def matcher() -> LLMatcher:
    made = LLMatcher(TOKENIZER, LLMatcher.grammar_from_json_schema(SCHEMA))
    if made.is_error():
        raise SystemExit(f"llguidance refuses the schema: {made.get_error()}")
    return made


def valid(text: str) -> bool:
    return jsonschema_rs.is_valid(json.loads(SCHEMA), json.loads(text))


forced = matcher().compute_ff_bytes().decode()  # the bytes that the grammar leaves no choice about
tokens = TOKENIZER.tokenize_str(WANTED)
taken = matcher().try_consume_tokens(tokens)
print(
    f"const {WANTED}: the grammar forces {forced} (valid: {valid(forced)}),"
    f" and takes {taken} of {len(tokens)} digits of the const (valid: {valid(WANTED)})"
)
PY

stated="const 1234567890123456789: the grammar forces 1234567890123456768 (valid: False), and takes 17 of 19 digits of the const (valid: True)"
seen=$(timeout 60 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
