"""Language models for embeddings: mlx_lm's decoders without the output layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonogo_server.engine.mlx.api import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    import mlx.core as mx

UNTIED = {"tie_word_embeddings": True}
"""Changes to a config.json with which a model is built without a head of its own: nothing needs one here."""


class Headless:
    """Reads checkpoints of a decoder alone, whose names lack the `model.` of one that has a head as well."""

    def sanitize(self, weights: Mapping[str, mx.array]) -> dict[str, mx.array]:
        """The weights under the names of mlx_lm."""
        if not any(name.startswith("model.") for name in weights):
            weights = {f"model.{name}": weight for name, weight in weights.items()}
        known = getattr(super(), "sanitize", dict)
        return dict(known(dict(weights)))


def headless_classes(config: dict[str, Any]) -> tuple[type[Any], type[Any]]:
    """mlx_lm's classes for a config.json, the first one `Headless`. Raises `ValueError` if it has none."""
    model, args = whole().get_classes(config)
    return type(model.__name__, (Headless, model), {}), args


class Decoder:
    """The hidden states that the `body` of an mlx_lm model computes: all of it but the head."""

    def __init__(self, body: Any) -> None:  # noqa: ANN401 - mlx_lm has no types
        self._body = body

    def __call__(self, ids: mx.array, _lengths: mx.array) -> mx.array:
        """Like `Encoder`: padding stands behind the input, where no token of a decoder looks."""
        states: mx.array = self._body(ids)
        return states
