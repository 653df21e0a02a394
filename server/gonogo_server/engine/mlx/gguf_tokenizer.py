"""The tokenizer that a GGUF file carries in its metadata.

Key names and token types are those of the GGUF specification (ggml, docs/gguf.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tokenizers import AddedToken, Tokenizer, decoders, models
from tokenizers.processors import TemplateProcessing

from gonogo_server.engine.mlx.gguf_words import words_of
from gonogo_server.engine.mlx.plain_tokenizer import PlainTokenizer
from gonogo_server.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONTROL, USER_DEFINED = 3, 4
"""Token types that are matched whole in text; control tokens have no text of their own."""

END_KEYS = ("eos_token_id", "eot_token_id", "eom_token_id")

END_TEXTS = frozenset({"<|endoftext|>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "</s>"})
"""Names of control tokens that end an answer, whether or not the metadata lists them."""


def read_tokenizer(metadata: Mapping[str, Any]) -> PlainTokenizer:
    """The tokenizer with its chat template. Raises `UnsupportedModel` for an unknown kind of tokenizer."""
    words = words_of(metadata.get("tokenizer.ggml.model"), metadata.get("tokenizer.ggml.pre"))
    tokens = _ggml(metadata, "tokens")
    tokenizer = Tokenizer(
        models.BPE(
            vocab={token: index for index, token in enumerate(tokens)},
            merges=[_pair(merge) for merge in _ggml(metadata, "merges")],
            ignore_merges=words.ignore_merges,
        )
    )
    tokenizer.pre_tokenizer = words.pre_tokenizer()
    tokenizer.decoder = decoders.ByteLevel()
    _add_whole_tokens(tokenizer, tokens, _ggml(metadata, "token_type"))
    begin, template = _token(metadata, "bos_token_id"), metadata.get("tokenizer.chat_template")
    named = {"bos_token": begin, "eos_token": _token(metadata, "eos_token_id")}
    if begin is not None and metadata.get("tokenizer.ggml.add_bos_token", words.add_bos):
        tokenizer.post_processor = TemplateProcessing(
            single=f"{begin} $A", special_tokens=[(begin, metadata["tokenizer.ggml.bos_token_id"])]
        )
        template = template and _with_begin_token(template, begin)
    return PlainTokenizer(
        tokenizer,
        named={name: token for name, token in named.items() if token is not None},
        end_token_ids=end_token_ids(metadata),
        template=template,
    )


def _with_begin_token(template: str, begin: str) -> str:
    """The template, changed to write the begin token if it does not.

    The result is that of llama.cpp (common/chat.cpp), which removes the template's token and lets the tokenizer add
    one.
    """
    return template if "bos_token" in template or begin in template else "{{ bos_token }}" + template


def end_token_ids(metadata: Mapping[str, Any]) -> frozenset[int]:
    """The tokens that end an answer: those that the metadata lists, and control tokens with a name in `END_TEXTS`."""
    listed = {metadata[name] for key in END_KEYS if (name := f"tokenizer.ggml.{key}") in metadata}
    pairs = zip(_ggml(metadata, "tokens"), _ggml(metadata, "token_type"), strict=True)
    by_name = {index for index, (text, kind) in enumerate(pairs) if kind == CONTROL and text in END_TEXTS}
    return frozenset(listed | by_name)


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
