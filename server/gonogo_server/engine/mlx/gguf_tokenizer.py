"""The tokenizer that a GGUF file carries in its metadata.

Key names and token types are those of the GGUF specification (ggml, docs/gguf.md); what a value of
`tokenizer.ggml.pre` splits on is in llama.cpp (src/llama-vocab.cpp).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing

from gonogo_server.engine.mlx.plain_tokenizer import PlainTokenizer
from gonogo_server.errors import ModelUnavailable, UnsupportedModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONTROL, USER_DEFINED = 3, 4
"""Token types that are matched whole in text; those of type control have no text of their own."""

END_KEYS = ("eos_token_id", "eot_token_id", "eom_token_id")

END_TEXTS = frozenset({"<|endoftext|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "</s>"})
"""Control tokens that end an answer by their name, whether or not the metadata lists them."""


def read_tokenizer(metadata: Mapping[str, Any]) -> PlainTokenizer:
    """The tokenizer with its chat template. Raises `UnsupportedModel` for a kind that is not known here."""
    tokens = _ggml(metadata, "tokens")
    tokenizer = Tokenizer(
        models.BPE(
            vocab={token: index for index, token in enumerate(tokens)},
            merges=[_pair(merge) for merge in _ggml(metadata, "merges")],
        )
    )
    tokenizer.pre_tokenizer = _pre_tokenizer(metadata)
    tokenizer.decoder = decoders.ByteLevel()
    _add_whole_tokens(tokenizer, tokens, _ggml(metadata, "token_type"))
    begin = _token(metadata, "bos_token_id")
    if begin is not None and metadata.get("tokenizer.ggml.add_bos_token"):
        tokenizer.post_processor = TemplateProcessing(
            single=f"{begin} $A", special_tokens=[(begin, metadata["tokenizer.ggml.bos_token_id"])]
        )
    return PlainTokenizer(
        tokenizer,
        begin=begin,
        end=_token(metadata, "eos_token_id"),
        end_token_ids=end_token_ids(metadata),
        template=metadata.get("tokenizer.chat_template"),
    )


def end_token_ids(metadata: Mapping[str, Any]) -> frozenset[int]:
    """The tokens that end an answer: those the metadata names, and those that say so by their own name."""
    named = {metadata[name] for key in END_KEYS if (name := f"tokenizer.ggml.{key}") in metadata}
    pairs = zip(_ggml(metadata, "tokens"), _ggml(metadata, "token_type"), strict=True)
    told = {index for index, (text, kind) in enumerate(pairs) if kind == CONTROL and text in END_TEXTS}
    return frozenset(named | told)


def _pre_tokenizer(metadata: Mapping[str, Any]) -> pre_tokenizers.PreTokenizer:
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    match metadata.get("tokenizer.ggml.model"), metadata.get("tokenizer.ggml.pre"):
        case "gpt2", "smollm":
            return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level])
        case "gpt2", "gpt-2":
            return byte_level
        case model, pre:
            raise UnsupportedModel(
                f"its tokenizer ({model}, {pre}) is not read from GGUF files; take the model in MLX format"
            )


def _add_whole_tokens(tokenizer: Tokenizer, tokens: Sequence[str], types: Sequence[int]) -> None:
    pairs = tuple(zip(tokens, types, strict=True))
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token, kind in pairs if kind == CONTROL]
    )
    tokenizer.add_tokens(
        [AddedToken(token, normalized=False) for token, kind in pairs if kind == USER_DEFINED]
    )


def _token(metadata: Mapping[str, Any], key: str) -> str | None:
    index = metadata.get(f"tokenizer.ggml.{key}")
    return None if index is None else str(_ggml(metadata, "tokens")[index])


def _ggml(metadata: Mapping[str, Any], key: str) -> Sequence[Any]:
    values = metadata.get(f"tokenizer.ggml.{key}")
    if not isinstance(values, list):
        raise ModelUnavailable(f"its metadata has no tokenizer.ggml.{key}")
    return values


def _pair(merge: str) -> tuple[str, str]:
    left, right = merge.split(" ")
    return left, right
