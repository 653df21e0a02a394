"""Language models for embeddings: mlx_lm's decoders without the output layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonogo_server.engine.mlx.api import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    import mlx.core as mx

UNTIED = {"tie_word_embeddings": True}
"""Changes to a config.json for a model without its own output layer, which embeddings do not need."""


class Headless:
    """Reads checkpoints of a decoder without a head, whose weight names lack the prefix `model.`."""

    def sanitize(self, weights: Mapping[str, mx.array]) -> dict[str, mx.array]:
        """The weights under mlx_lm's names."""
        if not any(name.startswith("model.") for name in weights):
            weights = {f"model.{name}": weight for name, weight in weights.items()}
        known = getattr(super(), "sanitize", dict)
        return dict(known(dict(weights)))


def headless_classes(config: dict[str, Any]) -> tuple[type[Any], type[Any]]:
    """mlx_lm's model class, made `Headless`, and its arguments class. Raises `ValueError` for unknown ones."""
    model, args = whole().get_classes(config)
    return type(model.__name__, (Headless, model), {}), args


class Decoder:
    """Computes the hidden states with the `body` of an mlx_lm model, the model without its head."""

    def __init__(self, body: Any) -> None:  # noqa: ANN401 - mlx_lm has no types
        self._body = body

    def __call__(self, ids: mx.array, _lengths: mx.array) -> mx.array:
        """Like `Encoder`; `_lengths` is unused, because the tokens of a decoder do not attend to padding after them."""
        states: mx.array = self._body(ids)
        return states
