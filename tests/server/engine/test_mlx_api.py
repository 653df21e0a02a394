"""What the engine was built on, compared with what is installed."""

from __future__ import annotations

import inspect
from importlib.metadata import requires, version

import pytest
from gonogo_server.engine.mlx import api

RECORDED = {
    "Llama": "args",
    "LlamaArgs": (
        "model_type hidden_size num_hidden_layers intermediate_size num_attention_heads rms_norm_eps vocab_size"
        " head_dim= max_position_embeddings= num_key_value_heads= attention_bias= mlp_bias= rope_theta="
        " rope_traditional= rope_scaling= tie_word_embeddings= layer_types= sliding_window="
    ),
    "TokenizerWrapper": (
        "tokenizer detokenizer_class= eos_token_ids= chat_template= tool_call_start= tool_call_end= tool_parser="
        " response_format="
    ),
    "apply_top_p": "logprobs top_p",
    "dequantize_model": "model",
    "load_model": "model_path lazy= strict= model_config= get_model_classes= trust_remote_code=",
    "load_tokenizer": "model_path tokenizer_config_extra= eos_token_ids=",
    "make_prompt_cache": "model max_kv_size=",
    "maybe_set_recommended_wired_limit": "",
}
"""The parameters of each name, those with a default marked by =."""


def parameters(name: str) -> str:
    signature = inspect.signature(getattr(api, name))
    return " ".join(
        parameter.name + ("" if parameter.default is parameter.empty else "=")
        for parameter in signature.parameters.values()
    )


def test_every_name_that_is_used_is_recorded() -> None:
    assert {*RECORDED, "TESTED"} == set(api.__all__)


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_signatures_are_those_recorded(name: str) -> None:
    assert parameters(name) == RECORDED[name]


def test_the_installed_version_is_the_tested_one() -> None:
    assert version("mlx-lm") == api.TESTED


def test_the_project_pins_the_tested_version() -> None:
    assert any(line.startswith(f"mlx-lm=={api.TESTED}") for line in requires("gonogo") or ())
