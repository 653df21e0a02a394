"""The parts of mlx_lm that the engine relies on, compared with the installed version."""

from __future__ import annotations

import inspect
from dataclasses import fields
from importlib import import_module
from importlib.metadata import requires, version
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.engine.mlx import api
from gonogo_server.engine.mlx.one_at_a_time import Answering, OneAtATime, Reading
from mlx_lm.generate import GenerationBatch, PromptProcessingBatch

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDED = {
    "BatchGenerator": (
        "model max_tokens= stop_tokens= sampler= logits_processors= completion_batch_size= prefill_batch_size="
        " prefill_step_size= max_kv_size= stream="
    ),
    "KVCache": "",
    "Llama": "args",
    "LlamaArgs": (
        "model_type hidden_size num_hidden_layers intermediate_size num_attention_heads rms_norm_eps vocab_size"
        " head_dim= max_position_embeddings= num_key_value_heads= attention_bias= mlp_bias= rope_theta="
        " rope_traditional= rope_scaling= tie_word_embeddings= layer_types= sliding_window="
    ),
    "RotatingKVCache": "max_size keep=",
    "apply_top_p": "logprobs top_p",
    "dequantize_model": "model",
    "get_classes": "config",
    "load_adapters": "model adapter_path",
    "load_model": "model_path lazy= strict= model_config= get_model_classes= trust_remote_code=",
    "load_tokenizer": "model_path tokenizer_config_extra= eos_token_ids=",
    "make_prompt_cache": "model max_kv_size=",
    "trim_prompt_cache": "cache num_tokens",
}
"""The parameters of each name; those with a default are marked with =."""

METHODS = {
    "insert": ("self prompts max_tokens= caches= all_tokens= samplers= logits_processors= stop_sequences="),
    "next": "self",
    "remove": "self uids return_prompt_caches=",
    "extract_cache": "self uids",
    "close": "self",
}
"""The same for the methods of a BatchGenerator."""

AT_ONCE = {
    "KVCache",
    "Llama",
    "LlamaArgs",
    "RotatingKVCache",
    "apply_top_p",
    "make_prompt_cache",
    "trim_prompt_cache",
}
"""What is available without the rest of mlx_lm."""


def named(name: str) -> Any:  # noqa: ANN401 - a class or a function of mlx_lm
    return getattr(api if name in AT_ONCE else api.whole(), name)


def parameters(function: Callable[..., object]) -> str:
    return " ".join(
        parameter.name + ("" if parameter.default is parameter.empty else "=")
        for parameter in inspect.signature(function).parameters.values()
    )


def test_every_name_that_is_used_is_recorded() -> None:
    assert {*api.WHOLE, *AT_ONCE} == set(RECORDED)
    assert set(api.__all__) - AT_ONCE == {"TESTED", "WHOLE", "generation_stream", "whole"}


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_signatures_are_those_recorded(name: str) -> None:
    assert parameters(named(name)) == RECORDED[name]


@pytest.mark.parametrize("name", sorted(METHODS))
def test_methods_of_the_batch_are_those_recorded(name: str) -> None:
    assert parameters(getattr(api.whole().BatchGenerator, name)) == METHODS[name]


@pytest.mark.parametrize("name", sorted({*METHODS} - {"close"}))
def test_the_replacement_of_the_batch_accepts_the_same_arguments(name: str) -> None:
    ours = set(inspect.signature(getattr(OneAtATime, name)).parameters)
    assert ours <= set(inspect.signature(getattr(api.whole().BatchGenerator, name)).parameters)


def test_the_fields_of_a_step_are_the_expected_ones() -> None:
    reading = [field.name for field in fields(PromptProcessingBatch.Response)]
    answering = [field.name for field in fields(GenerationBatch.Response)]
    assert reading == ["uid", "progress", "end_of_segment", "end_of_prompt"]
    assert answering == ["uid", "token", "logprobs", "finish_reason", "prompt_cache", "all_tokens"]
    assert {field.name for field in fields(Reading)} < set(reading)
    assert [field.name for field in fields(Answering)] == answering


def test_all_that_generates_does_it_on_one_stream() -> None:
    api.whole()
    assert import_module("mlx_lm.generate").generation_stream is api.generation_stream


def test_the_installed_version_is_the_tested_one() -> None:
    assert version("mlx-lm") == api.TESTED


def test_the_project_pins_the_tested_version() -> None:
    assert any(line.startswith(f"mlx-lm=={api.TESTED}") for line in requires("gonogo") or ())
