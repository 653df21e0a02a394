"""From text to the token ids of an embedding model. Nothing here touches mlx, so it may run on any one thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokenizers import Tokenizer
from tokenizers.normalizers import Lowercase, Normalizer, Sequence

from gonogo_server.engine.measure import check_length

if TYPE_CHECKING:
    from gonogo_server.engine.mlx.embedding_folder import EmbeddingFolder


class EmbeddingText:
    """The tokenizer of an embedding model; `context_length` and `vocabulary` as its folder has them."""

    def __init__(self, folder: EmbeddingFolder) -> None:
        self.context_length = folder.context_length
        self.vocabulary = folder.vocabulary
        self._prompt = folder.prompt
        self._tokenizer = Tokenizer.from_file(str(folder.path / "tokenizer.json"))
        # The file may say to cut or to fill up inputs (MiniLM's: to 128 tokens), as it was left after training.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        if folder.lowercase:
            self._tokenizer.normalizer = _lowercase_first(self._tokenizer.normalizer)

    def encode(self, text: str) -> tuple[int, ...]:
        """The token ids as the model was trained on them: after its prompt, between its special tokens.

        Never cut, so perhaps more than `context_length`; none for a text that the tokenizer throws away. Raises
        `TooLong` for a long text that is sure to have more.
        """
        check_length(text, self.context_length, lambda part: len(self._ids(part)))
        return tuple(self._ids(self._prompt + text))

    def _ids(self, text: str) -> list[int]:
        # As a batch, which lets other threads run meanwhile; one text alone keeps them waiting.
        ids: list[int] = self._tokenizer.encode_batch_fast([text])[0].ids
        return ids


def _lowercase_first(normalizer: Normalizer | None) -> Normalizer:
    return Sequence([Lowercase(), *([normalizer] if normalizer else [])])
