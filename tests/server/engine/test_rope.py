"""Rotary positions from a table: the same numbers as mlx's, and mlx itself where the table does not apply."""

from __future__ import annotations

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import mlx.core as mx
import pytest
from gonogo_server.engine.locate import locate
from gonogo_server.engine.mlx import rope as tables
from gonogo_server.engine.mlx.load import load
from gonogo_server.engine.mlx.rope import TableRoPE, look_up_rotations
from mlx import nn
from mlx.utils import tree_flatten

DIMS = 8
POSITIONS = 1000
OFFSETS = [0, 1, 7, 500, POSITIONS - 1]


class Watched(nn.RoPE):
    """Counts its calls."""

    asked = 0

    def __call__(self, x: mx.array, offset: mx.array | int = 0) -> mx.array:
        self.asked += 1
        return super().__call__(x, offset=offset)


class Attention(nn.Module):
    def __init__(self, rope: nn.Module) -> None:
        super().__init__()
        self.rope = rope


class Layers(nn.Module):
    def __init__(self, *ropes: nn.Module) -> None:
        super().__init__()
        self.layers = [Attention(rope) for rope in ropes]


def tokens(count: int, dims: int = DIMS) -> mx.array:
    """Queries of five rows, each with three heads."""
    return mx.random.normal((len(OFFSETS), 3, count, dims), key=mx.random.key(count))


@pytest.mark.parametrize(("base", "scale"), [(10_000.0, 1.0), (500_000.0, 1.0), (100.0, 0.25)])
def test_a_token_of_each_row_is_rotated_as_mlx_does_it_to_the_bit(base: float, scale: float) -> None:
    rope = nn.RoPE(DIMS, base=base, scale=scale)
    expected = rope(tokens(1), offset=mx.array(OFFSETS))
    assert mx.array_equal(TableRoPE(rope, POSITIONS)(tokens(1), offset=mx.array(OFFSETS)), expected)


def test_the_table_is_asked_for_a_token_of_each_row_only() -> None:
    rope = Watched(DIMS)
    table = TableRoPE(rope, POSITIONS)
    rope.asked = 0
    table(tokens(1), offset=mx.array(OFFSETS))
    assert rope.asked == 0


@pytest.mark.parametrize(
    ("x", "offset"),
    [
        (tokens(4), mx.array(OFFSETS)),
        (tokens(1), 7),
        (tokens(1), mx.array(7)),
        (tokens(1, DIMS + 2), mx.array(OFFSETS)),
    ],
    ids=["several tokens", "a number", "one position for all", "dimensions that are not rotated"],
)
def test_mlx_rotates_everything_outside_the_table(x: mx.array, offset: mx.array | int) -> None:
    rope = Watched(DIMS)
    table = TableRoPE(rope, POSITIONS)
    rope.asked = 0
    assert mx.array_equal(table(x, offset=offset), nn.RoPE(DIMS)(x, offset=offset))
    assert rope.asked == 1


def test_layers_of_the_same_rotation_share_a_table() -> None:
    model = Layers(nn.RoPE(DIMS), nn.RoPE(DIMS), nn.RoPE(DIMS, base=500.0))
    look_up_rotations(model, POSITIONS)
    first, second, third = (layer.rope for layer in model.layers)
    assert isinstance(first, TableRoPE)
    assert first is second
    assert isinstance(third, TableRoPE)
    assert third is not first


def test_other_rotations_and_contexts_that_are_too_long_stay_as_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = Layers(nn.RoPE(DIMS, traditional=True), Watched(DIMS))
    look_up_rotations(other, POSITIONS)
    monkeypatch.setattr(tables, "MOST_POSITIONS", POSITIONS - 1)
    long = Layers(nn.RoPE(DIMS))
    look_up_rotations(long, POSITIONS)
    ropes = [layer.rope for model in (other, long) for layer in model.layers]
    assert not any(isinstance(rope, TableRoPE) for rope in ropes)


@pytest.mark.skipif(mx.default_device().type != mx.DeviceType.cpu, reason="a GPU has an operation for it")
def test_a_model_that_is_loaded_on_a_cpu_has_a_table_and_no_more_weights_than_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gonogo_server.engine.mlx.load.can_be_packed", lambda _: False)
    loaded = load(locate("smollm2"))
    ropes = [layer.self_attn.rope for layer in loaded.model.layers]
    assert all(rope is ropes[0] for rope in ropes)
    assert isinstance(ropes[0], TableRoPE)
    weights: list[tuple[str, mx.array]] = tree_flatten(loaded.model.parameters())  # type: ignore[assignment]
    assert loaded.nbytes == sum(array.nbytes for _, array in weights)
    assert not any("rope" in name for name, _ in weights)
