"""Why a model cannot be served, from the error of its loader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo_server.errors import ModelUnavailable, UnsupportedModel

if TYPE_CHECKING:
    from gonogo_server.engine.locate import Location


def refusal(location: Location, error: Exception) -> ModelUnavailable:
    """`UnsupportedModel` for a kind of model that is not read here, `ModelUnavailable` for any other failure."""
    # mlx_lm says of an unknown architecture that it is "not supported", and in no other way (0.32.2, utils.py).
    unsupported = isinstance(error, UnsupportedModel) or (
        isinstance(error, ValueError) and "not supported" in str(error)
    )
    kind = UnsupportedModel if unsupported else ModelUnavailable
    return kind(f"The model {location.id} cannot be served: {str(error).rstrip('.')}.")
