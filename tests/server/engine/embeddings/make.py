"""Writes the models and `vectors.json` beside it: the vectors of sentence-transformers, the reference, for some texts.

Not a test, and not run by any: it needs `sentence-transformers` (and torch), which the project does not. The models
have random weights that are large enough for every part of them to affect the vectors.

    uv venv /tmp/reference && uv pip install --python /tmp/reference sentence-transformers
    /tmp/reference/bin/python tests/server/engine/embeddings/make.py FOLDER_OF_MINILM
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3Model,
    RobertaConfig,
    RobertaModel,
)

if TYPE_CHECKING:
    from transformers import PreTrainedModel

HERE = Path(__file__).parent
WORDS = [
    "a",
    "the",
    "sea",
    "house",
    "by",
    "red",
    "green",
    "blue",
    "count",
    "from",
    "one",
    "to",
    "ten",
    "?",
    ".",
    ",",
]
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "intermediate_size": 24, "vocab_size": 20}

MINILM_TEXTS = {
    "short": "A house by the sea.",
    "question": "What is the capital of France?",
    "not ASCII": "Der Zug fährt über die Brücke — 東京は雨です 🌧️ naïve café.",
    "nearly full": "The quick brown fox jumps over the lazy dog. " * 25,
    "too long": "Seventy-two sailors sang softly, and nobody listened! " * 40,
}
TINY_TEXTS = {
    "one": "house",
    "short": "a house by the sea .",
    "long": "count from one to ten , red green blue ? the sea , the sea , a house .",
}


def main() -> None:
    torch.manual_seed(7)
    minilm = SentenceTransformer(sys.argv[1], device="cpu")
    vectors = {"minilm": embedded(minilm, MINILM_TEXTS)}
    for name, (model, mode) in tiny_models().items():
        with TemporaryDirectory() as plain:
            model.save_pretrained(plain)
            tokenizer(ends=name == "tiny-qwen3").save_pretrained(plain)
            modules = [Transformer(plain, max_seq_length=24), Pooling(16, pooling_mode=mode), Normalize()]
            made = SentenceTransformer(modules=modules, device="cpu")
            made.save_pretrained(str(HERE / name), create_model_card=False)
        vectors[name] = embedded(made, TINY_TEXTS)
    made_by = {package: version(package) for package in ("sentence-transformers", "transformers", "torch")}
    (HERE / "vectors.json").write_text(written({"made_by": made_by, "vectors": vectors}) + "\n")


def written(document: dict[str, object]) -> str:
    """JSON with one vector per line."""
    text = json.dumps(document, ensure_ascii=False, indent=1)
    return re.sub(r"(-?\d+\.\d+(e-\d+)?,?)\s+", r"\1 ", text)


def tiny_models() -> dict[str, tuple[PreTrainedModel, str]]:
    wide = SIZES | {"initializer_range": 0.5, "num_attention_heads": 2, "max_position_embeddings": 32}
    return {
        "tiny-bert": (BertModel(BertConfig(**wide, hidden_act="gelu_new", pad_token_id=1)), "cls"),
        "tiny-roberta": (RobertaModel(RobertaConfig(**wide, type_vocab_size=1, pad_token_id=1)), "mean"),
        "tiny-qwen3": (
            Qwen3Model(Qwen3Config(**wide, num_key_value_heads=1, head_dim=8, tie_word_embeddings=False)),
            "lasttoken",
        ),
    }


def tokenizer(*, ends: bool) -> PreTrainedTokenizerFast:
    """A tokenizer with a token for each word, between begin and end tokens, or before an end token only."""
    words = [*SPECIAL, *WORDS]
    made = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, "<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="$A </s>" if ends else "<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, cls_token="<s>", pad_token="<pad>", sep_token="</s>", unk_token="<unk>"
    )


def embedded(model: SentenceTransformer, texts: dict[str, str]) -> list[dict[str, object]]:
    return [
        {"name": name, "text": text, "vector": [round(float(x), 7) for x in model.encode(text)]}
        for name, text in texts.items()
    ]


if __name__ == "__main__":
    main()
