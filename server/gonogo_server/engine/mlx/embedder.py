"""An embedding model: token ids in, vectors out. Use it on one thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import mlx.core as mx
from mlx.utils import tree_flatten

from gonogo_server.engine.mlx.api import whole
from gonogo_server.engine.mlx.decoder import UNTIED, Decoder, headless_classes
from gonogo_server.engine.mlx.device import on_cpu
from gonogo_server.engine.mlx.embedding_folder import read_embedding_folder
from gonogo_server.engine.mlx.embedding_text import EmbeddingText
from gonogo_server.engine.mlx.encoder import MODEL_TYPES, Encoder, EncoderArgs
from gonogo_server.engine.mlx.pooling import pool
from gonogo_server.engine.mlx.refusal import refusal
from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.engine.locate import Location
    from gonogo_server.engine.mlx.embedding_folder import EmbeddingFolder

BATCH_CPU: Final = 1024
"""Most tokens of a batch, padding included: more are no faster on a CPU, and delay the answers of other models."""

BATCH_GPU: Final = 16_384
"""The same on a GPU, where a few thousand tokens take as long as one."""


class Network(Protocol):
    """Computes the hidden states (rows, tokens, hidden) of padded rows of ids."""

    def __call__(self, ids: mx.array, lengths: mx.array, /) -> mx.array:
        """`lengths` is the number of tokens of each row; the rest is padding."""
        ...


class Embedder:
    """A model in memory. `text` may be used on another thread, the rest only on the thread that created it."""

    def __init__(self, network: Network, pooling: str, text: EmbeddingText, nbytes: int) -> None:
        self.text = text
        self.nbytes = nbytes
        """Size of the weights in bytes."""
        self._network = network
        self._pooling = pooling

    def embed(self, inputs: Sequence[Sequence[int]]) -> list[list[float]]:
        """The vector of each input, in order, of length 1.

        Raises `BadRequest` (param `input`) before any computation for an input that is empty, longer than the context,
        or has an id outside the vocabulary.
        """
        self.check(inputs)
        vectors: dict[int, list[float]] = {}
        for batch in batches([len(one) for one in inputs]):
            rows = self.embed_batch([inputs[index] for index in batch])
            vectors |= zip(batch, rows, strict=True)
        return [vectors[index] for index in range(len(inputs))]

    def embed_batch(self, inputs: Sequence[Sequence[int]]) -> list[list[float]]:
        """The vectors of inputs that passed `check`, computed as one batch, so that other work can run in between."""
        lengths = mx.array([len(one) for one in inputs])
        longest = max(len(one) for one in inputs)
        ids = mx.array([[*one, *[0] * (longest - len(one))] for one in inputs])
        return cast("list[list[float]]", pool(self._pooling, self._network(ids, lengths), lengths).tolist())

    def check(self, inputs: Sequence[Sequence[int]]) -> None:
        """Raise `BadRequest` for inputs that `embed` refuses."""
        for index, one in enumerate(inputs):
            if not 0 < len(one) <= self.text.context_length:
                raise BadRequest(
                    (
                        f"Input {index} has {len(one)} tokens, but this model accepts 1 to "
                        f"{self.text.context_length}."
                    ),
                    param="input",
                    code="context_length_exceeded" if one else "invalid_value",
                )
            # mlx does not check bounds: it would read beyond its tables.
            if not 0 <= min(one) <= max(one) < self.text.vocabulary:
                raise BadRequest(
                    f"Input {index} has an unknown token id: the ids of this model are 0 to "
                    f"{self.text.vocabulary - 1}.",
                    param="input",
                    code="invalid_value",
                )


def batches(lengths: Sequence[int]) -> list[list[int]]:
    """Group inputs of similar length into batches, the shortest first; return the indices of the inputs of each batch.

    `lengths` are in tokens. A batch with its padding stays below the limit of the device, or has a single input.
    """
    most = BATCH_CPU if on_cpu() else BATCH_GPU
    made: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if made and (len(made[-1]) + 1) * lengths[index] <= most:
            made[-1].append(index)
        else:
            made.append([index])
    return made


def load_embedder(location: Location) -> Embedder:
    """Load the model and evaluate its weights. Raises `ModelUnavailable` with the reason of a failure."""
    try:
        folder = read_embedding_folder(location.path)
        network, model = _network(folder)
        weights = cast("list[tuple[str, mx.array]]", tree_flatten(model.parameters()))
        nbytes = sum(weight.nbytes for _, weight in weights)
        return Embedder(network, folder.pooling, EmbeddingText(folder), nbytes)
    except Exception as error:
        # An invalid file can make its reader raise any exception.
        raise refusal(location, error) from error


def _network(folder: EmbeddingFolder) -> tuple[Network, Any]:
    """The network that computes hidden states, and its mlx module that holds the weights."""
    if folder.model_type in MODEL_TYPES:
        model, _ = whole().load_model(
            folder.path, lazy=True, get_model_classes=lambda **_: (Encoder, EncoderArgs)
        )
        encoder = _prepared(model)
        return encoder, encoder
    model, _ = whole().load_model(
        folder.path, lazy=True, model_config=UNTIED, get_model_classes=headless_classes
    )
    body = _prepared(model).model
    return Decoder(body), body


def _prepared(model: Any) -> Any:  # noqa: ANN401 - mlx_lm has no types
    """The model in the precision of the device (see `load`), with its weights evaluated."""
    if on_cpu():
        model = whole().dequantize_model(model)
        model.set_dtype(mx.float32)
    mx.eval(model.parameters())
    return model
