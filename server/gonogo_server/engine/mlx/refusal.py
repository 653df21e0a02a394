"""Turns the error of a loader into the reason why a model cannot be served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo_server.errors import ModelUnavailable, UnsupportedModel

if TYPE_CHECKING:
    from gonogo_server.engine.locate import Location


def refusal(location: Location, error: Exception) -> ModelUnavailable:
    """`UnsupportedModel` for an unsupported kind of model, `ModelUnavailable` for any other failure."""
    # An unknown architecture is only recognised by the words "not supported" of mlx_lm (0.32.2, utils.py).
    unsupported = isinstance(error, UnsupportedModel) or (
        isinstance(error, ValueError) and "not supported" in str(error)
    )
    kind = UnsupportedModel if unsupported else ModelUnavailable
    return kind(f"The model {location.id} cannot be served: {str(error).rstrip('.?')}.")
