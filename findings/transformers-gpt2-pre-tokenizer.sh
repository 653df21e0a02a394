#!/usr/bin/env bash
# What: where tokenizer_config.json names the class GPT2Tokenizer, transformers takes vocabulary and merges from tokenizer.json, but not its
#   normalizer and its pre-tokenizer: those become GPT-2's. Servers on top of it, as mlx_lm's, then read other tokens than the model learned.
# Versions: transformers 5.23.0, tokenizers 0.23.3, mlx-lm 0.32.2, mlx 0.32.4 (CPU build).
# Expected: the tokens that tokenizer.json gives, which the library tokenizers computes: "1234567" in groups of at most three digits, and the
#   letter e with a combining accent composed to one letter.
# Seen: 123 45 67 in place of 123 45 6 7, and the accent as two tokens of its own. With the class PreTrainedTokenizerFast, and nothing else
#   changed, both are as expected. No warning names the difference.
# Matters: byte-level BPE tokenizers of other models are declared as GPT2Tokenizer too; the one of OLMo 3 was met with the wrong
#   pre-tokenizer (allenai/open-instruct#1896). What reads tokenizer.json with the library tokenizers, as transformers 4 did, keeps it, so
#   that two servers with the same files give a prompt different tokens and different counts.
# Valid because: tokenizer.json is the format of the library tokenizers, in which normalizer and pre-tokenizer are parts of the tokenizer;
#   the class in tokenizer_config.json has no setting for either.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
uv venv --quiet --python 3.11 venv
uv pip install --quiet --python venv/bin/python transformers==5.23.0 tokenizers==0.23.3 mlx-lm==0.32.2 'mlx[cpu]==0.32.4'

cat >finding.py <<'PY'
import json
from pathlib import Path

from mlx_lm.tokenizer_utils import load
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

MERGES = [("1", "2"), ("12", "3"), ("4", "5"), ("6", "7"), ("Ã", "©")]
VOCABULARY = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *("".join(pair) for pair in MERGES), "<|end|>"]

own = Tokenizer(models.BPE({token: index for index, token in enumerate(VOCABULARY)}, MERGES))
own.normalizer = normalizers.NFC()
own.pre_tokenizer = pre_tokenizers.Sequence(
    [
        pre_tokenizers.Split(Regex(r"\p{N}{1,3}|[^\p{N}]+"), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
)
own.decoder = decoders.ByteLevel()
own.add_special_tokens(["<|end|>"])


def told(tokenizer, text):
    ids = tokenizer.encode(text, add_special_tokens=False)
    return [own.id_to_token(number) for number in getattr(ids, "ids", ids)]


for kind in ("PreTrainedTokenizerFast", "GPT2Tokenizer"):
    folder = Path(kind)
    folder.mkdir()
    own.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text('{"model_type": "llama"}')
    names = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|end|>")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": kind, **names}))
    read = load(folder)
    for text in ("1234567", "cafe\u0301"):
        print(f"{kind}: {' '.join(told(own, text))} | {' '.join(told(read, text))}")
PY

stated='PreTrainedTokenizerFast: 123 45 6 7 | 123 45 6 7
PreTrainedTokenizerFast: c a f Ã© | c a f Ã©
GPT2Tokenizer: 123 45 6 7 | 123 45 67
GPT2Tokenizer: c a f Ã© | c a f e Ì ģ'
seen=$(timeout 120 venv/bin/python finding.py 2>finding.log) || true
if [[ "$seen" != "$stated" ]]; then
  printf 'changed\n  stated: %s\n  seen:   %s\n' "$stated" "$seen"
  tail -n 5 finding.log
  exit 1
fi
echo "as stated: $seen"
