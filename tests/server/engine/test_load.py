"""Loading a folder in MLX format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import mlx.core as mx
import pytest
from gonogo_server.engine.locate import locate
from gonogo_server.engine.mlx import device
from gonogo_server.engine.mlx import load as loading
from gonogo_server.engine.mlx.load import UNKNOWN_CONTEXT, context_length, load
from gonogo_server.errors import ModelUnavailable
from mlx import nn
from mlx.utils import tree_flatten
from mlx_lm.models.llama import Model, ModelArgs

if TYPE_CHECKING:
    from pathlib import Path

on_cpu = pytest.mark.skipif(not device.on_cpu(), reason="a GPU keeps the weights as they are stored")


@on_cpu
def test_half_precision_becomes_float32_on_a_cpu(tiny_folder: Path) -> None:
    model = load(locate(str(tiny_folder))).model
    assert {weight.dtype for _, weight in tree_flatten(model.parameters())} == {mx.float32}


@on_cpu
def test_quantised_weights_become_float32_on_a_cpu(tiny_folder: Path) -> None:
    config = json.loads((tiny_folder / "config.json").read_text())
    model = Model(ModelArgs.from_dict(config))
    nn.quantize(model, group_size=32, bits=8)
    mx.save_safetensors(str(tiny_folder / "model.safetensors"), dict(tree_flatten(model.parameters())))
    config["quantization"] = {"group_size": 32, "bits": 8}
    (tiny_folder / "config.json").write_text(json.dumps(config))
    kept = load(locate(str(tiny_folder))).model.parameters()
    assert {weight.dtype for _, weight in tree_flatten(kept)} == {mx.float32}


def test_weights_stay_as_they_are_stored_on_a_gpu(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "on_cpu", lambda: False)
    model = load(locate(str(tiny_folder))).model
    assert {weight.dtype for _, weight in tree_flatten(model.parameters())} == {mx.bfloat16}


@pytest.mark.parametrize(
    ("config", "tokens"),
    [
        ({"max_position_embeddings": 99}, 99),
        ({"n_positions": 98}, 98),
        ({"text_config": {"max_position_embeddings": 97}}, 97),
        ({"max_position_embeddings": None}, UNKNOWN_CONTEXT),
    ],
)
def test_the_context_length_is_what_the_config_says(config: dict[str, object], tokens: int) -> None:
    assert context_length(config) == tokens


def test_a_folder_without_a_tokenizer_is_refused(tiny_folder: Path) -> None:
    for file in tiny_folder.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(ModelUnavailable, match="tiny-llama cannot be served: "):
        load(locate(str(tiny_folder)))


def test_an_incomplete_download_is_refused_in_sentences(tiny_folder: Path) -> None:
    weights = tiny_folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ModelUnavailable, match=r"only 100 bytes.*corrupt file\.$"):
        load(locate(str(tiny_folder)))


def test_a_model_that_brings_its_own_code_is_refused(tiny_folder: Path) -> None:
    config = json.loads((tiny_folder / "config.json").read_text()) | {"model_file": "model.py"}
    (tiny_folder / "config.json").write_text(json.dumps(config))
    (tiny_folder / "model.py").write_text("raise SystemExit('was run')")
    with pytest.raises(ModelUnavailable, match=r"model\.py"):
        load(locate(str(tiny_folder)))


@on_cpu
def test_nothing_is_compiled_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(mx, "disable_compile", lambda: calls.append("off"))
    device.set_up()
    monkeypatch.setattr(device, "on_cpu", lambda: False)
    device.set_up()
    assert calls == ["off"]


def test_the_description_names_device_precision_and_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "on_cpu", lambda: True)
    assert "on the CPU, float32" in device.describe()
    assert (device.BLAS is None) == ("BLAS" not in device.describe())
    monkeypatch.setattr(device, "on_cpu", lambda: False)
    assert device.describe().endswith("on the GPU, weights as stored")
