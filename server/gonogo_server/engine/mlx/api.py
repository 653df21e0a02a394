"""All parts of mlx_lm that the engine uses, by name.

Little of it is public, and it changes between minor versions, so mlx_lm is pinned to `TESTED`, and a test compares the
signatures with recorded ones. This module imports what a plain Llama needs; `whole` imports the rest on
its first call, which takes a second and a half.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING

import mlx.core as mx

from gonogo_server.engine.mlx.leaves import bind, leaves

if TYPE_CHECKING:
    from typing import Any

    from mlx_lm.models.cache import KVCache, RotatingKVCache, make_prompt_cache, trim_prompt_cache
    from mlx_lm.models.llama import Model as Llama
    from mlx_lm.models.llama import ModelArgs as LlamaArgs
    from mlx_lm.sample_utils import apply_top_p
else:
    _cache, _llama, _sampling = leaves("mlx_lm", "models.cache", "models.llama", "sample_utils")
    KVCache, RotatingKVCache = _cache.KVCache, _cache.RotatingKVCache
    make_prompt_cache, trim_prompt_cache = _cache.make_prompt_cache, _cache.trim_prompt_cache
    Llama, LlamaArgs = _llama.Model, _llama.ModelArgs
    apply_top_p = _sampling.apply_top_p

TESTED = "0.32.2"
"""The tested version of mlx_lm."""

generation_stream = mx.new_thread_local_stream(mx.default_device())
"""The only stream that generation uses, so that its operations run in one order."""

WHOLE = {
    "BatchGenerator": "generate.BatchGenerator",
    "dequantize_model": "utils.dequantize_model",
    "get_classes": "utils._get_classes",
    "load_adapters": "utils.load_adapters",
    "load_model": "utils.load_model",
    "load_tokenizer": "utils.load_tokenizer",
}
"""The names that `whole` returns, and where mlx_lm defines them."""


__all__ = [
    "TESTED",
    "WHOLE",
    "KVCache",
    "Llama",
    "LlamaArgs",
    "RotatingKVCache",
    "apply_top_p",
    "generation_stream",
    "make_prompt_cache",
    "trim_prompt_cache",
    "whole",
]


@cache
def whole() -> Any:  # noqa: ANN401 - mlx_lm has no types
    """The names of `WHOLE`; the first call imports mlx_lm, and transformers with it."""
    import_module("mlx_lm.generate").generation_stream = generation_stream  # type: ignore[attr-defined]  # see there
    found = SimpleNamespace()
    for name, place in WHOLE.items():
        module, _, original = place.partition(".")
        setattr(found, name, getattr(import_module(f"mlx_lm.{module}"), original))
    bind("mlx_lm")
    bind("transformers")
    return found
