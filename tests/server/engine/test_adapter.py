"""Models that consist of a base and an adapter, as mlx_lm trains them."""

from __future__ import annotations

import asyncio
import json
import shutil
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import pytest
from gonogo_server.engine.base import Generation, Sampling
from gonogo_server.engine.locate import locate
from gonogo_server.engine.mlx import load as loading
from gonogo_server.engine.mlx.adapter import adapt
from gonogo_server.engine.mlx.load import load
from gonogo_server.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gonogo_server.engine.base import Piece
    from gonogo_server.engine.mlx.engine import MlxEngine

    Open = Callable[..., MlxEngine]
    MakeFolder = Callable[..., Path]

PATIENCE = 30.0
HIDDEN, RANK, SCALE = 64, 4, 10.0
ADAPTED = {"self_attn.q_proj": 2, "self_attn.v_proj": 3, "mlp.down_proj": 4}
"""The weights that the adapter changes, and the key of their random numbers."""


def weights(layer: int = 0) -> dict[str, mx.array]:
    """The tensors of an adapter for a layer of the tiny Llama."""
    made = {}
    for part, key in ADAPTED.items():
        made[f"model.layers.{layer}.{part}.lora_a"] = mx.random.normal((HIDDEN, RANK), key=mx.random.key(key))
        made[f"model.layers.{layer}.{part}.lora_b"] = mx.random.normal(
            (RANK, HIDDEN), scale=0.1, key=mx.random.key(key + 10)
        )
    return made


def write(folder: Path, base: Path, *, own: dict[str, mx.array] | None = None, **changes: object) -> Path:
    """The folder with an adapter for the base, as mlx_lm would write it."""
    folder.mkdir()
    trained = {"rank": RANK, "scale": SCALE, "dropout": 0.5, "keys": [*ADAPTED]}
    config = {"model": str(base), "fine_tune_type": "lora", "num_layers": 1, "lora_parameters": trained}
    (folder / "adapter_config.json").write_text(json.dumps(config | changes))
    mx.save_safetensors(str(folder / "adapters.safetensors"), weights() if own is None else own)
    return folder


def fuse(base: Path, folder: Path) -> Path:
    """A copy of the base with the adapter's weights merged by hand."""
    shutil.copytree(base, folder)
    stored = {
        name: weight.astype(mx.float32) for name, weight in mx.load(str(base / "model.safetensors")).items()
    }
    adapter = weights()
    for part in ADAPTED:
        layer = f"model.layers.0.{part}"
        stored[f"{layer}.weight"] += SCALE * (adapter[f"{layer}.lora_a"] @ adapter[f"{layer}.lora_b"]).T
    mx.save_safetensors(str(folder / "model.safetensors"), stored)
    return folder


def in_float32(folder: Path) -> Path:
    file = str(folder / "model.safetensors")
    mx.save_safetensors(file, {name: weight.astype(mx.float32) for name, weight in mx.load(file).items()})
    return folder


def logits(folder: Path) -> mx.array:
    made: mx.array = load(locate(str(folder))).model(mx.array([[72, 101, 108, 108, 111]]))
    return made


async def say(engine: MlxEngine, model: str, prompt: str) -> list[Piece]:
    generation = Generation(await engine.encode(model, prompt), 12, Sampling(temperature=0))
    async with asyncio.timeout(PATIENCE), aclosing(engine.generate(model, generation)) as steps:
        return [piece async for piece in steps]


@pytest.mark.parametrize("cpu", [True, False])
def test_an_adapter_makes_of_its_base_what_was_trained(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, cpu: bool
) -> None:
    monkeypatch.setattr(loading, "on_cpu", lambda: cpu)
    in_float32(tiny_folder)
    adapted = logits(write(tmp_path / "poet", tiny_folder))
    assert mx.allclose(adapted, logits(fuse(tiny_folder, tmp_path / "fused")), rtol=1e-3, atol=1e-3)
    assert not mx.allclose(adapted, logits(tiny_folder), rtol=0.1, atol=0.1)


def test_weights_stay_as_stored_beside_their_adapter_on_a_gpu(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = locate(str(write(tmp_path / "poet", tiny_folder)))

    def parts() -> list[str]:
        return [name for name, layer in load(adapter).model.named_modules() if hasattr(layer, "lora_a")]

    monkeypatch.setattr(loading, "on_cpu", lambda: True)
    assert parts() == []
    monkeypatch.setattr(loading, "on_cpu", lambda: False)
    assert sorted(parts()) == sorted(f"model.layers.0.{part}" for part in ADAPTED)


@pytest.mark.anyio
async def test_base_and_adapter_answer_at_the_same_time_and_share_no_prefix(
    open_model: Open, tiny_folder: Path, tmp_path: Path
) -> None:
    poet, fused = write(tmp_path / "poet", tiny_folder), fuse(tiny_folder, tmp_path / "fused")
    engine = open_model(tiny_folder, poet, fused)
    base, adapted, _ = cards = engine.cards()
    assert [card.id for card in cards] == ["tiny-llama", "poet", "fused"]
    assert (adapted.type, adapted.context_length) == ("chat", base.context_length)
    answers = await asyncio.gather(*(say(engine, card.id, "The sea is wide and grey") for card in cards))
    texts = ["".join(piece.text for piece in answer) for answer in answers]
    assert texts[1] == texts[2] != texts[0]
    assert [answer[0].cached for answer in answers] == [0, 0, 0]
    for model, cached in (("poet", True), ("tiny-llama", True)):
        again = await say(engine, model, "The sea is wide and grey")
        assert bool(again[0].cached) == cached
        assert "".join(piece.text for piece in again) == texts[model == "poet"]


@pytest.mark.anyio
async def test_an_adapter_does_not_use_the_prefix_cache_of_its_base(
    open_model: Open, tiny_folder: Path, tmp_path: Path
) -> None:
    engine = open_model(tiny_folder, write(tmp_path / "poet", tiny_folder))
    prompt = "The sea is wide and grey"
    cached = [
        (await say(engine, model, prompt))[0].cached > 0
        for model in ("tiny-llama", "poet", "tiny-llama", "poet")
    ]
    assert cached == [False, False, True, True]


def test_all_weights_of_a_layer_may_be_trained(tiny_folder: Path, tmp_path: Path) -> None:
    own = {"model.layers.0.mlp.down_proj.weight": mx.zeros((HIDDEN, HIDDEN), mx.bfloat16)}
    full = write(tmp_path / "full", tiny_folder, own=own, fine_tune_type="full")
    (layer,) = load(locate(str(full))).model.model.layers
    assert not mx.any(layer.mlp.down_proj.weight)
    assert mx.any(layer.mlp.up_proj.weight)


@pytest.mark.parametrize(
    ("own", "changes", "sentence"),
    [
        (
            {"model.layers.0.mlp.down_proj.lora_a": mx.zeros((9, 9))},
            {},
            r"does not fit its base: .*shape \(9, 9\)",
        ),
        ({"model.layers.7.mlp.down_proj.lora_a": mx.zeros((9, 9))}, {}, "does not fit its base: .*layers.7"),
        ({}, {}, "does not fit its base: it has nothing for model.layers.0"),
        (None, {"num_layers": None}, "adapter_config.json is not in mlx_lm's format"),
        (
            None,
            {"lora_parameters": {"alpha": 1}},
            "adapter_config.json is not in mlx_lm's format: .*'scale'",
        ),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused_in_a_sentence(
    tiny_folder: Path, tmp_path: Path, own: dict[str, mx.array] | None, changes: dict[str, Any], sentence: str
) -> None:
    adapter = write(tmp_path / "poet", tiny_folder, own=own, **changes)
    with pytest.raises(
        ModelUnavailable, match=f"^The model poet cannot be served: its .*{sentence}"
    ) as refused:
        load(locate(str(adapter)))
    assert "\n" not in str(refused.value)


def test_an_adapter_for_fewer_layers_is_not_half_applied(make_folder: MakeFolder, tmp_path: Path) -> None:
    larger = make_folder("larger", num_hidden_layers=2)
    adapter = write(tmp_path / "poet", larger, num_layers=-1)
    with pytest.raises(ValueError, match=r"it has nothing for model\.layers\.1"):
        adapt(load(locate(str(larger))).model, adapter, None)
