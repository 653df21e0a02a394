"""An embedding model: text in, vectors out. To be used on one thread."""

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
"""Tokens of a batch, padding included: more are no faster on a CPU, and keep answers of other models waiting."""

BATCH_GPU: Final = 16_384
"""The same on a GPU, which has as much to do with a few thousand as with one."""


class Network(Protocol):
    """Computes the hidden states (rows, tokens, hidden) of padded rows of ids."""

    def __call__(self, ids: mx.array, lengths: mx.array, /) -> mx.array:
        """`lengths` are the tokens of each row; those behind them are padding."""
        ...


class Embedder:
    """A model in memory. `text` may be used on another thread, the rest on the one that made it."""

    def __init__(self, network: Network, pooling: str, text: EmbeddingText, nbytes: int) -> None:
        self.text = text
        self.nbytes = nbytes
        """What the weights take."""
        self._network = network
        self._pooling = pooling

    def embed(self, inputs: Sequence[Sequence[int]]) -> list[list[float]]:
        """The vector of each input, in order, of length 1.

        Raises `BadRequest` (param `input`) for an input without tokens, with more than the model reads, or with an id
        that is not in its vocabulary; nothing is computed then.
        """
        self.check(inputs)
        vectors: dict[int, list[float]] = {}
        for batch in batches([len(one) for one in inputs]):
            rows = self.embed_batch([inputs[index] for index in batch])
            vectors |= zip(batch, rows, strict=True)
        return [vectors[index] for index in range(len(inputs))]

    def embed_batch(self, inputs: Sequence[Sequence[int]]) -> list[list[float]]:
        """The same for inputs that passed `check`, all at once: one step, for a thread that has others to take."""
        lengths = mx.array([len(one) for one in inputs])
        longest = max(len(one) for one in inputs)
        ids = mx.array([[*one, *[0] * (longest - len(one))] for one in inputs])
        return cast("list[list[float]]", pool(self._pooling, self._network(ids, lengths), lengths).tolist())

    def check(self, inputs: Sequence[Sequence[int]]) -> None:
        """Raises `BadRequest` for what `embed` would refuse."""
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
            # mlx reads beyond its tables silently.
            if not 0 <= min(one) <= max(one) < self.text.vocabulary:
                raise BadRequest(
                    f"Input {index} has an unknown token id: the ids of this model are 0 to "
                    f"{self.text.vocabulary - 1}.",
                    param="input",
                    code="invalid_value",
                )


def batches(lengths: Sequence[int]) -> list[list[int]]:
    """Numbers of inputs that are embedded together: neighbours in length, the shortest first, padding bounded.

    `lengths` are in tokens. A batch has as many as suit the device, or one input.
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
    """The model in memory, its weights evaluated. Raises `ModelUnavailable` with the reason it cannot be."""
    try:
        folder = read_embedding_folder(location.path)
        network, model = _network(folder)
        weights = cast("list[tuple[str, mx.array]]", tree_flatten(model.parameters()))
        nbytes = sum(weight.nbytes for _, weight in weights)
        return Embedder(network, folder.pooling, EmbeddingText(folder), nbytes)
    except Exception as error:
        # Whatever a reader of a foreign file stumbles over: there are as many ways as there are files.
        raise refusal(location, error) from error


def _network(folder: EmbeddingFolder) -> tuple[Network, Any]:
    """What computes hidden states, and the mlx module in it that holds the weights."""
    if folder.model_type in MODEL_TYPES:
        model, _ = whole().load_model(
            folder.path, lazy=True, get_model_classes=lambda **_: (Encoder, EncoderArgs)
        )
        encoder = _settled(model)
        return encoder, encoder
    model, _ = whole().load_model(
        folder.path, lazy=True, model_config=UNTIED, get_model_classes=headless_classes
    )
    body = _settled(model).model
    return Decoder(body), body


def _settled(model: Any) -> Any:  # noqa: ANN401 - mlx_lm has no types
    """The model in the precision that suits the device (see `load`), and in memory."""
    if on_cpu():
        model = whole().dequantize_model(model)
        model.set_dtype(mx.float32)
    mx.eval(model.parameters())
    return model
