"""Tokenizers in GGUF files of Llama 3 and Qwen, compared with transformers' own for the same vocabulary."""

from __future__ import annotations

import random
import unicodedata
from functools import cache
from typing import Any

import pytest
from gonogo_server.engine.mlx.gguf_tokenizer import read_tokenizer
from gonogo_server.engine.mlx.gguf_words import LLAMA3_NAMES, QWEN2_NAMES, words_of
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers
from transformers import Qwen2Tokenizer
from transformers.convert_slow_tokenizer import TikTokenConverter, bytes_to_unicode

PARTS = (
    "the", "The", "THE", "lower", "naïve", "Straße", "мир", "שלום", "हिन्दी", "日本語", "你好", "한국어", "ﬁ", "e\u0301",
    "'s", "'S", "'T", "'re", "'RE", "'Ll", "'ve", "'d", "'x", "\u2019s", "0", "12", "345", "6789", "٣٤٥٦", "½", "Ⅷ",
    " ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", " \n", "\u00a0", "\u3000", "\u2028", ".", ",", "...", "!?", "(", ")",
    "_", "-", "==", "://", "#", "$", "€", "😀", "👩\u200d🚀", "🇩🇪", "\u200b", "\x00", "\ufffd",
)  # fmt: skip
NORMAL, CONTROL = 1, 3
WHOLE = "Ġlower"
"""A token that no merges produce."""


@cache
def texts() -> tuple[str, ...]:
    """The parts alone, in pairs, and in 400 random sequences."""
    chance = random.Random(11)
    rows = ["".join(chance.choices(PARTS, k=chance.randint(3, 14))) for _ in range(400)]
    return (*PARTS, *(left + right for left in PARTS for right in PARTS), *rows)


@cache
def vocabulary(pattern: str) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A few hundred tokens learnt from the texts, and the merges that make them."""
    learnt = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    learnt.pre_tokenizer = pre_tokenizers.Sequence([split, byte_level])
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=700, initial_alphabet=alphabet, show_progress=False)
    learnt.train_from_iterator(texts(), trainer)
    ids = learnt.get_vocab()
    ids.setdefault(WHOLE, len(ids))
    unit = {character: byte for byte, character in bytes_to_unicode().items()}

    class Ranked(TikTokenConverter):
        @staticmethod
        def load_tiktoken_bpe(_: str) -> dict[bytes, int]:
            return {bytes(unit[one] for one in token): index for token, index in ids.items()}

    found, merges = Ranked(pattern=pattern).extract_vocab_merges_from_model("")
    return found, [pair for pair in merges if "".join(pair) != WHOLE]


LLAMA3: str = TikTokenConverter().pattern
PATTERNS = {"llama-bpe": LLAMA3, "qwen2": LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")}


def metadata(pre: str) -> dict[str, Any]:
    ids, merges = vocabulary(PATTERNS[pre])
    tokens = [*sorted(ids, key=ids.__getitem__), "<|begin|>", "<|end|>"]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [NORMAL] * len(ids) + [CONTROL, CONTROL],
        "tokenizer.ggml.merges": [" ".join(pair) for pair in merges],
        "tokenizer.ggml.bos_token_id": len(ids),
        "tokenizer.ggml.eos_token_id": len(ids) + 1,
    }


def llama3() -> Tokenizer:
    """The tokenizer that transformers makes of a tiktoken file such as Llama 3's."""
    found = vocabulary(LLAMA3)

    class Same(TikTokenConverter):
        def extract_vocab_merges_from_model(self, _: str) -> tuple[dict[str, int], list[tuple[str, str]]]:
            return found

    return Same().converted()


def qwen2() -> Tokenizer:
    """The tokenizer that transformers has for Qwen."""
    ids, merges = vocabulary(PATTERNS["qwen2"])
    return Qwen2Tokenizer(vocab=ids, merges=merges).backend_tokenizer


REFERENCES = {"llama-bpe": llama3, "qwen2": qwen2}


def split(name: str, text: str) -> list[tuple[str, tuple[int, int]]]:
    return words_of("gpt2", name).pre_tokenizer().pre_tokenize_str(text)


@pytest.mark.parametrize("pre", REFERENCES)
def test_texts_are_split_as_by_transformers(pre: str) -> None:
    ours, theirs = words_of("gpt2", pre).pre_tokenizer(), REFERENCES[pre]().pre_tokenizer
    for text in texts():
        assert ours.pre_tokenize_str(text) == theirs.pre_tokenize_str(text)


@pytest.mark.parametrize("pre", REFERENCES)
def test_texts_have_the_tokens_that_transformers_gives_them(pre: str) -> None:
    ours, theirs = read_tokenizer(metadata(pre)), REFERENCES[pre]()
    for text in texts():
        composed = unicodedata.normalize("NFC", text)
        ids = ours.encode(composed, add_special_tokens=False)
        assert ids == theirs.encode(composed, add_special_tokens=False).ids
        assert ours.decode(ids) == composed


@pytest.mark.parametrize("name", [*LLAMA3_NAMES, *QWEN2_NAMES])
def test_every_name_of_a_way_to_split_means_the_same(name: str) -> None:
    text = "It'S 12345 o'clock\r\n\n  now"
    assert split(name, text) == split("llama-bpe" if name in LLAMA3_NAMES else "qwen2", text)


def test_digits_go_in_threes_with_llama_3_and_alone_with_qwen() -> None:
    assert [word for word, _ in split("llama-bpe", "12345")] == ["123", "45"]
    assert [word for word, _ in split("qwen2", "12345")] == ["1", "2", "3", "4", "5"]


def test_a_word_that_is_a_token_is_taken_whole_with_llama_3_alone() -> None:
    for pre, whole in (("llama-bpe", True), ("qwen2", False)):
        ids = read_tokenizer(metadata(pre)).encode(" lower", add_special_tokens=False)
        assert (ids == [vocabulary(PATTERNS[pre])[0][WHOLE]]) == whole


@pytest.mark.parametrize(
    ("pre", "said", "begun"),
    [
        ("llama-bpe", {}, True),
        ("llama-bpe", {"tokenizer.ggml.add_bos_token": False}, False),
        ("qwen2", {}, False),
        ("qwen2", {"tokenizer.ggml.add_bos_token": True}, True),
    ],
)
def test_a_text_is_begun_where_the_file_says_so_or_else_with_llama_3(
    pre: str, said: dict[str, Any], *, begun: bool
) -> None:
    values = metadata(pre) | said
    tokenizer = read_tokenizer(values)
    ids, plain = tokenizer.encode("the"), tokenizer.encode("the", add_special_tokens=False)
    assert ids == ([values["tokenizer.ggml.bos_token_id"], *plain] if begun else plain)


def conversation(values: dict[str, Any]) -> str:
    asked = [{"role": "user", "content": "the"}]
    return read_tokenizer(values).apply_chat_template(asked, tokenize=False, add_generation_prompt=True)


@pytest.mark.parametrize(
    "template",
    [
        "{{ bos_token }}{{ messages[0].content }}",
        "<|begin|>{{ messages[0].content }}",
        "{{ messages[0].content }}",
    ],
)
def test_a_conversation_has_one_begin_token(template: str) -> None:
    values = metadata("llama-bpe") | {"tokenizer.chat_template": template}
    assert conversation(values) == "<|begin|>the"


def test_a_conversation_is_not_begun_where_texts_are_not() -> None:
    values = metadata("qwen2") | {"tokenizer.chat_template": "{{ messages[0].content }}"}
    assert conversation(values) == "the"
