"""Everything of mlx_lm that the engine stands on, by name.

Little of it is public and it moves from minor to minor, so mlx_lm is pinned to `TESTED`, and a test compares
the signatures with those it recorded.
"""

from mlx_lm.generate import BatchGenerator, generation_stream
from mlx_lm.models.cache import KVCache, RotatingKVCache, make_prompt_cache, trim_prompt_cache
from mlx_lm.models.llama import Model as Llama
from mlx_lm.models.llama import ModelArgs as LlamaArgs
from mlx_lm.sample_utils import apply_top_p
from mlx_lm.tokenizer_utils import TokenizerWrapper
from mlx_lm.utils import _get_classes as get_classes
from mlx_lm.utils import (
    dequantize_model,
    load_adapters,
    load_model,
    load_tokenizer,
    maybe_set_recommended_wired_limit,
)

TESTED = "0.32.2"
"""The version of mlx_lm."""

__all__ = [
    "TESTED",
    "BatchGenerator",
    "KVCache",
    "Llama",
    "LlamaArgs",
    "RotatingKVCache",
    "TokenizerWrapper",
    "apply_top_p",
    "dequantize_model",
    "generation_stream",
    "get_classes",
    "load_adapters",
    "load_model",
    "load_tokenizer",
    "make_prompt_cache",
    "maybe_set_recommended_wired_limit",
    "trim_prompt_cache",
]
