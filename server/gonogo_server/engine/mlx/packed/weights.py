"""The weights of a Llama, joined so that one matrix product replaces several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import mlx.core as mx
from mlx.nn.layers.embedding import Embedding
from mlx.nn.layers.linear import Linear

from gonogo_server.engine.mlx.api import Llama
from gonogo_server.engine.mlx.rope import TableRoPE, plain_rotation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Layer:
    """The weights of one block; matrices are transposed, for `states @ matrix`."""

    first_norm: mx.array
    heads: mx.array
    """Projections to queries, keys and values, head by head."""
    out: mx.array
    second_norm: mx.array
    gated: mx.array
    """The gate projection, then the up projection."""
    down: mx.array


@dataclass(frozen=True, slots=True)
class Weights:
    """All weights of a model. `rotate` rotates heads (shape [tokens, heads, 1, size]) by positions (shape [tokens])."""

    embedding: mx.array
    layers: tuple[Layer, ...]
    norm: mx.array
    head: mx.array
    rotate: Callable[..., mx.array]
    epsilon: float
    query_heads: int
    key_heads: int
    head_size: int


def can_be_packed(model: Any) -> bool:  # noqa: ANN401 - mlx_lm's models have no common type
    """Whether the model is a plain Llama, without biases, windows or quantised weights."""
    return (
        type(model) is Llama
        and isinstance(model.model.embed_tokens, Embedding)
        and set(model.args.layer_types or ()) == {"full_attention"}
        and all(_is_plain(layer) for layer in model.layers)
    )


def _is_plain(layer: Any) -> bool:  # noqa: ANN401 - mlx_lm's
    attention, mlp = layer.self_attn, layer.mlp
    products = (attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj)
    linear = (*products, mlp.gate_proj, mlp.up_proj, mlp.down_proj)
    rotation = plain_rotation(attention.rope)
    return (
        all(type(one) is Linear and "bias" not in one for one in linear)
        and rotation is not None
        and rotation.dims == attention.head_dim
    )


def join(model: Any) -> Weights:  # noqa: ANN401 - mlx_lm's
    """Join the weights of a model that `can_be_packed`.

    The model's own weights become views of the joined ones, so that none is in memory twice.
    """
    attention = model.layers[0].self_attn
    rotation: TableRoPE | Any = attention.rope
    head = model.model.embed_tokens if model.args.tie_word_embeddings else model.lm_head
    return Weights(
        model.model.embed_tokens.weight,
        tuple(map(_joined, model.layers)),
        model.model.norm.weight,
        head.weight.T,
        plain_rotation(rotation) or rotation,
        model.args.rms_norm_eps,
        attention.n_heads,
        attention.n_kv_heads,
        attention.head_dim,
    )


def _joined(layer: Any) -> Layer:  # noqa: ANN401 - mlx_lm's
    attention, mlp = layer.self_attn, layer.mlp
    return Layer(
        layer.input_layernorm.weight,
        _join_rows([attention.q_proj, attention.k_proj, attention.v_proj]).T,
        attention.o_proj.weight.T,
        layer.post_attention_layernorm.weight,
        _join_rows([mlp.gate_proj, mlp.up_proj]).T,
        mlp.down_proj.weight.T,
    )


def _join_rows(products: Sequence[Linear]) -> mx.array:
    joined = mx.concatenate([one.weight for one in products])
    start = 0
    for one in products:
        end = start + one.weight.shape[0]
        one.weight = joined[start:end]
        start = end
    # Evaluated block by block, so that only one block is in memory twice.
    mx.eval(joined, [one.weight for one in products])
    return joined
