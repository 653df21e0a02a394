"""Pre-tokenizers of GGUF vocabularies: how a text is split into words before BPE merges.

A file names its pre-tokenizer in `tokenizer.ggml.pre`. The names, their patterns and their defaults are those of
llama.cpp at commit 00ad355 (src/llama-vocab.cpp: `llm_tokenizer_bpe` and `llama_vocab::impl::load`). As in llama.cpp,
texts are not normalised; the tokenizer.json of Qwen composes letters and their accents first (NFC).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tokenizers import Regex
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence, Split

from gonogo_server.errors import UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from tokenizers.pre_tokenizers import PreTokenizer


BEFORE_DIGITS: Final = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)", r"[^\r\n\p{L}\p{N}]?\p{L}+")
BEHIND_DIGITS: Final = (r" ?[^\s\p{L}\p{N}]+[\r\n]*", r"\s*[\r\n]+", r"\s+(?!\S)", r"\s+")
"""The patterns that Llama 3 and Qwen have in common."""


@dataclass(frozen=True, slots=True)
class Words:
    """A pre-tokenizer, and the other settings that llama.cpp derives from its name."""

    pre_tokenizer: Callable[[], PreTokenizer]
    ignore_merges: bool = False
    """Whether a word that is a token becomes that token without applying merges."""
    add_bos: bool = False
    """Whether a text begins with the begin token, unless the file specifies it."""


def _gpt2() -> PreTokenizer:
    return ByteLevel(add_prefix_space=False, use_regex=True)


def _smollm() -> PreTokenizer:
    return Sequence([Digits(individual_digits=True), _gpt2()])


def _llama3() -> PreTokenizer:
    return _with_digits(r"\p{N}{1,3}")


def _qwen2() -> PreTokenizer:
    return _with_digits(r"\p{N}")


def _with_digits(digits: str) -> PreTokenizer:
    split = Split(Regex("|".join((*BEFORE_DIGITS, digits, *BEHIND_DIGITS))), behavior="isolated")
    return Sequence([split, ByteLevel(add_prefix_space=False, use_regex=False)])


LLAMA3_NAMES: Final = (
    "llama-bpe",
    "llama3",
    "llama-v3",
    "falcon3",
    "falcon-h1",
    "pixtral",
    "midm-2.0",
    "lfm2",
    "jina-v5-nano",
)
QWEN2_NAMES: Final = ("qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez")

WORDS: Final = {
    "gpt-2": Words(_gpt2),
    "smollm": Words(_smollm),
    **dict.fromkeys(LLAMA3_NAMES, Words(_llama3, ignore_merges=True, add_bos=True)),
    **dict.fromkeys(QWEN2_NAMES, Words(_qwen2)),
}
"""Pre-tokenizers by the value of `tokenizer.ggml.pre`."""


def words_of(model: object, name: object) -> Words:
    """The pre-tokenizer for these values of `tokenizer.ggml.model` and `tokenizer.ggml.pre`.

    Raises `UnsupportedModel` for unknown values.
    """
    if model == "gpt2" and isinstance(name, str) and name in WORDS:
        return WORDS[name]
    raise UnsupportedModel(
        f"its tokenizer ({model}, {name}) is not supported in GGUF files; use the model in MLX format"
    )
