"""The encoder of the BERT family in mlx: BERT (MiniLM, BGE, E5, GTE), RoBERTa and XLM-RoBERTa.

Sources: "BERT: Pre-training of Deep Bidirectional Transformers" (arXiv:1810.04805); the config.json and the
names of the weights are those of Hugging Face's `transformers`. mlx_lm's `load_model` loads it, which expects a module
with `sanitize` and an arguments class with `from_dict`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx
from mlx.nn.layers.activations import gelu, gelu_approx, relu
from mlx.nn.layers.base import Module
from mlx.nn.layers.embedding import Embedding
from mlx.nn.layers.linear import Linear
from mlx.nn.layers.normalization import LayerNorm

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROBERTA: Final = ("roberta", "xlm-roberta", "camembert")
"""Model types whose positions begin after the padding token's id, inherited from fairseq."""

MODEL_TYPES: Final = ("bert", *ROBERTA)
"""The values of `model_type` in a config.json that this encoder supports."""

ACTIVATIONS: Final[Mapping[str, Callable[[mx.array], mx.array]]] = {
    "gelu": gelu,
    "gelu_new": gelu_approx,
    "gelu_pytorch_tanh": gelu_approx,
    "relu": relu,
}

RENAMED: Final = (
    (re.compile(r"^(bert|roberta)\."), ""),
    (re.compile(r"^encoder\.layer\."), "layers."),
    (re.compile(r"\.attention\.self\."), ".attention."),
    (re.compile(r"\.attention\.output\.dense\."), ".attention.out."),
    (re.compile(r"\.attention\.output\.LayerNorm\."), ".attention_norm."),
    (re.compile(r"\.intermediate\.dense\."), ".widen."),
    (re.compile(r"\.output\.dense\."), ".narrow."),
    (re.compile(r"\.output\.LayerNorm\."), ".norm."),
    (re.compile(r"^embeddings\.LayerNorm\."), "embeddings.norm."),
    (re.compile(r"^embeddings\.(word|position|token_type)_embeddings\."), r"embeddings.\1."),
)
"""Replacements that turn the weight names of `transformers` into those of the modules below."""

UNUSED: Final = ("pooler.", "cls.", "lm_head.", "embeddings.position_ids")
"""Prefixes of weights that the encoder does not use: heads, and the constant position ids."""


@dataclass(frozen=True, slots=True)
class EncoderArgs:
    """The shape of an encoder."""

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    intermediate: int
    positions: int
    """Rows of the position table, including those before `first_position`."""
    first_position: int
    token_types: int
    norm_eps: float
    activation: str

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> EncoderArgs:
        """Read a config.json. Raises `ValueError` for an unsupported variant."""
        if (kind := config.get("position_embedding_type", "absolute")) != "absolute":
            raise ValueError(f"positions of type {kind!r} are not supported")
        if (activation := config.get("hidden_act", "gelu")) not in ACTIVATIONS:
            raise ValueError(f"the activation {activation!r} is not supported")
        return cls(
            vocabulary=config["vocab_size"],
            hidden=config["hidden_size"],
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            intermediate=config["intermediate_size"],
            positions=config["max_position_embeddings"],
            first_position=first_position(config),
            token_types=config.get("type_vocab_size", 2),
            norm_eps=config.get("layer_norm_eps", 1e-12),
            activation=activation,
        )


def first_position(config: Mapping[str, Any]) -> int:
    """The row of the position table for the first token of an input."""
    return int(config["pad_token_id"]) + 1 if config["model_type"] in ROBERTA else 0


class Encoder(Module):
    """Computes a vector for each token; every token attends to the whole input."""

    def __init__(self, args: EncoderArgs) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # mlx.nn is typed in part
        self.embeddings = Embeddings(args)
        self.layers = [Layer(args) for _ in range(args.layers)]

    def __call__(self, ids: mx.array, lengths: mx.array) -> mx.array:
        """The hidden states (rows, tokens, hidden) of `ids` (rows, tokens).

        The first `lengths[row]` ids of a row are its input; the rest is padding, whose states are meaningless.
        """
        real = mx.arange(ids.shape[1]) < lengths[:, None]
        states = self.embeddings(ids)
        for layer in self.layers:
            states = layer(states, real[:, None, None, :])
        return states

    def sanitize(self, weights: Mapping[str, mx.array]) -> dict[str, mx.array]:
        """The weights of a checkpoint under the names of this module, without unused ones."""
        named = {_renamed(name): weight for name, weight in weights.items()}
        return {name: weight for name, weight in named.items() if not name.startswith(UNUSED)}


class Embeddings(Module):
    """The sum of token, position and segment embeddings; the segment is always the first."""

    def __init__(self, args: EncoderArgs) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # mlx.nn is typed in part
        self.word = Embedding(args.vocabulary, args.hidden)
        self.position = Embedding(args.positions, args.hidden)
        self.token_type = Embedding(args.token_types, args.hidden)
        self.norm = LayerNorm(args.hidden, eps=args.norm_eps)
        self._first_position = args.first_position

    def __call__(self, ids: mx.array) -> mx.array:
        """The states (rows, tokens, hidden) before the first layer, of `ids` (rows, tokens)."""
        positions = mx.arange(ids.shape[1]) + self._first_position
        states: mx.array = self.norm(self.word(ids) + self.position(positions) + self.token_type(mx.array(0)))
        return states


class Layer(Module):
    """Attention, then a feed-forward network; each is added to its input and then normalised."""

    def __init__(self, args: EncoderArgs) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # mlx.nn is typed in part
        self.attention = Attention(args)
        self.attention_norm = LayerNorm(args.hidden, eps=args.norm_eps)
        self.widen = Linear(args.hidden, args.intermediate)
        self.narrow = Linear(args.intermediate, args.hidden)
        self.norm = LayerNorm(args.hidden, eps=args.norm_eps)
        self._activation = ACTIVATIONS[args.activation]

    def __call__(self, states: mx.array, seen: mx.array) -> mx.array:
        """The states (rows, tokens, hidden) after this layer."""
        states = self.attention_norm(states + self.attention(states, seen))
        after: mx.array = self.norm(states + self.narrow(self._activation(self.widen(states))))
        return after


class Attention(Module):
    """Multi-head attention to the tokens marked by `seen` (rows, 1, 1, tokens)."""

    def __init__(self, args: EncoderArgs) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # mlx.nn is typed in part
        self.query = Linear(args.hidden, args.hidden)
        self.key = Linear(args.hidden, args.hidden)
        self.value = Linear(args.hidden, args.hidden)
        self.out = Linear(args.hidden, args.hidden)
        self._heads = args.heads
        self._scale = (args.hidden // args.heads) ** -0.5

    def __call__(self, states: mx.array, seen: mx.array) -> mx.array:
        """The attention output, which is added to the states (rows, tokens, hidden)."""
        queries, keys, values = (self._split(part(states)) for part in (self.query, self.key, self.value))
        mixed = mx.fast.scaled_dot_product_attention(queries, keys, values, scale=self._scale, mask=seen)
        added: mx.array = self.out(mixed.transpose(0, 2, 1, 3).reshape(states.shape))
        return added

    def _split(self, states: mx.array) -> mx.array:
        rows, tokens, _ = states.shape
        return states.reshape(rows, tokens, self._heads, -1).transpose(0, 2, 1, 3)


def _renamed(name: str) -> str:
    for pattern, replacement in RENAMED:
        name = pattern.sub(replacement, name)
    return name
