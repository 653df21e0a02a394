"""Tokenizes text for an embedding model. It does not use mlx, so it may run on any one thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokenizers import Tokenizer
from tokenizers.normalizers import Lowercase, Normalizer, Sequence

from gonogo_server.engine.measure import check_length

if TYPE_CHECKING:
    from gonogo_server.engine.mlx.embedding_folder import EmbeddingFolder


class EmbeddingText:
    """The tokenizer of an embedding model; `context_length` and `vocabulary` as in its folder."""

    def __init__(self, folder: EmbeddingFolder) -> None:
        self.context_length = folder.context_length
        self.vocabulary = folder.vocabulary
        self._prompt = folder.prompt
        self._tokenizer = Tokenizer.from_file(str(folder.path / "tokenizer.json"))
        # The file may enable truncation and padding, as in training (MiniLM's: to 128 tokens).
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        if folder.lowercase:
            self._tokenizer.normalizer = _lowercase_first(self._tokenizer.normalizer)

    def encode(self, text: str) -> tuple[int, ...]:
        """The token ids of the model's prompt and the text, with the special tokens.

        They are never truncated, so there may be more than `context_length`; there are none for a text that the
        tokenizer removes entirely. Raises `TooLong` if a long text certainly exceeds `context_length`.
        """
        check_length(text, self.context_length, lambda part: len(self._ids(part)))
        return tuple(self._ids(self._prompt + text))

    def _ids(self, text: str) -> list[int]:
        # Encoding a batch releases the GIL; encoding a single text does not.
        ids: list[int] = self._tokenizer.encode_batch_fast([text])[0].ids
        return ids


def _lowercase_first(normalizer: Normalizer | None) -> Normalizer:
    return Sequence([Lowercase(), *([normalizer] if normalizer else [])])
