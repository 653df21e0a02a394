"""An adapter that mlx_lm trained (LoRA, DoRA, or all weights of some layers), applied to its base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx
from mlx.utils import tree_flatten, tree_unflatten

from gonogo_server.engine.mlx.api import whole

if TYPE_CHECKING:
    from pathlib import Path

OWN: Final = {"lora_a", "lora_b", "m"}
"""The names in mlx_lm's layers of the weights that an adapter adds."""


def adapt(model: Any, folder: Path, dtype: mx.Dtype | None) -> None:  # noqa: ANN401 - mlx_lm has no types
    """Apply the adapter in the folder to the model (an mlx_lm module), in place.

    With a `dtype`, the adapter is fused into the base's weights, so that a step costs no more than without it. Without
    one the weights stay as stored, and the adapter separate, because coarser weights would lose much of it. Raises
    `ValueError` if the adapter does not fit the model.
    """
    try:
        whole().load_adapters(model, str(folder))
    except ValueError as error:
        # The other lines of the message list all the other weights.
        detail = " ".join(line.strip() for line in str(error).splitlines()[:2])
        raise ValueError(f"its adapter does not fit its base: {detail}") from error
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"its adapter_config.json is not in mlx_lm's format: {error}") from error
    _check_complete(model, folder)
    if dtype is not None:
        model.set_dtype(dtype)
        fused = [(name, layer.fuse()) for name, layer in model.named_modules() if hasattr(layer, "fuse")]
        model.update_modules(tree_unflatten(fused))
    model.eval()


def _check_complete(model: Any, folder: Path) -> None:  # noqa: ANN401 - mlx_lm has no types
    """Raise `ValueError` if the file lacks weights, which mlx_lm ignores: it was trained on a smaller model."""
    parameters: list[tuple[str, Any]] = tree_flatten(model.parameters())  # type: ignore[assignment]  # a dict where asked for
    wanted = [name for name, _ in parameters if name.rpartition(".")[2] in OWN]
    present = mx.load(str(folder / "adapters.safetensors"))
    if missing := next((name for name in wanted if name not in present), None):
        raise ValueError(f"its adapter does not fit its base: it has nothing for {missing}")
