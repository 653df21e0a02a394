"""An adapter that mlx_lm trained (LoRA, DoRA, or all weights of some layers), applied to its base."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import mlx.core as mx
from mlx.utils import tree_flatten, tree_unflatten

from gonogo_server.engine.mlx.api import whole

if TYPE_CHECKING:
    from pathlib import Path

OWN: Final = {"lora_a", "lora_b", "m"}
"""What the weights that an adapter adds are called in mlx_lm's layers."""


def adapt(model: Any, folder: Path, dtype: mx.Dtype | None) -> None:  # noqa: ANN401 - mlx_lm has no types
    """Change the model (an mlx_lm module) to what the adapter in the folder makes of it.

    In `dtype` (not None) the adapter becomes part of the base's weights, and a step costs what it costs without;
    weights as stored would lose much of it by that, as they are coarser. Raises `ValueError` if it does not fit.
    """
    try:
        whole().load_adapters(model, str(folder))
    except ValueError as error:
        # The rest of its lines go through all the other weights.
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
    """Weights that the file lacks would be left without effect: it was trained on a smaller model then."""
    parameters: list[tuple[str, Any]] = tree_flatten(model.parameters())  # type: ignore[assignment]  # a dict where asked for
    wanted = [name for name, _ in parameters if name.rpartition(".")[2] in OWN]
    there = mx.load(str(folder / "adapters.safetensors"))
    if missing := next((name for name in wanted if name not in there), None):
        raise ValueError(f"its adapter does not fit its base: it has nothing for {missing}")
