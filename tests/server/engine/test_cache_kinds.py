"""Models whose cache does not store every token separately: a cached prompt cannot be cut to a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from gonogo_server.engine.mlx.footprint import measure
from mlx_lm.models.cache import make_prompt_cache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Open = Callable[..., Any]
    Make = Callable[..., Path]

pytestmark = pytest.mark.anyio

KINDS: Final[dict[str, dict[str, object]]] = {
    "KVCache": {},
    "RotatingKVCache": {
        "num_hidden_layers": 2,
        "layer_types": ["sliding_attention", "full_attention"],
        "sliding_window": 24,
    },
    "ArraysCache": {
        "model_type": "lfm2",
        "num_hidden_layers": 2,
        "num_key_value_heads": 1,
        "norm_eps": 1e-5,
        "conv_bias": False,
        "conv_L_cache": 3,
        "block_dim": 64,
        "block_multiple_of": 8,
        "block_ffn_dim_multiplier": 1.0,
        "block_auto_adjust_ff_dim": False,
        "layer_types": ["conv", "full_attention"],
    },
    "ArraysCache of a recurrent model": {
        "model_type": "mamba",
        "num_hidden_layers": 1,
        "intermediate_size": 128,
        "state_size": 8,
        "conv_kernel": 4,
        "use_bias": False,
        "use_conv_bias": True,
        "time_step_rank": 4,
    },
}
"""A model for each kind of cache, by its members of config.json."""

LONG, SHORT, OTHER = tuple(range(10, 100)), (1, 2, 3), tuple(range(200, 230))


@pytest.fixture(params=KINDS)
def folder(request: pytest.FixtureRequest, make_folder: Make) -> Path:
    return make_folder("kind", max_position_embeddings=100_000, **KINDS[request.param])


@pytest.mark.parametrize("kind", KINDS)
def test_the_models_have_the_caches_they_are_named_after(kind: str, by_hand: Open, make_folder: Make) -> None:
    bench = by_hand(make_folder("kind", **KINDS[kind]))
    assert type(make_prompt_cache(bench.loaded.model)[0]).__name__ == kind.split(maxsplit=1)[0]


async def test_answers_side_by_side_are_those_given_alone(by_hand: Open, folder: Path) -> None:
    bench = by_hand(folder, prefix_bytes=0)
    alone = [await bench.tokens(prompt, 40) for prompt in (SHORT, LONG, OTHER)]
    first = bench.ask(SHORT, 40)
    await bench.step(5)
    answers = await bench.run(first, bench.ask(LONG, 40), bench.ask(OTHER, 40))
    assert [answer.tokens for answer in answers] == alone


async def test_the_size_of_the_caches_is_predicted(by_hand: Open, folder: Path) -> None:
    bench = by_hand(folder, prefix_bytes=0)
    foreseen = measure(bench.loaded.model).nbytes(3, len(LONG) + 300)
    answers = [bench.ask(prompt, 300) for prompt in (LONG, SHORT, OTHER)]
    taken = [0]
    while not any(answer.ended for answer in answers):
        await bench.step()
        taken.append(bench.batch._generator.prompt_cache_nbytes)
    assert foreseen / 2 < max(taken) <= foreseen


async def test_a_repeated_prompt_is_read_but_for_its_last_token(by_hand: Open, folder: Path) -> None:
    bench = by_hand(folder)
    first, again = [(await bench.run(bench.ask(LONG)))[0] for _ in range(2)]
    assert (first.cached, again.cached) == (0, 89)
    assert first.tokens == again.tokens


async def test_a_longer_prompt_begins_where_the_other_ended(by_hand: Open, folder: Path) -> None:
    bench = by_hand(folder)
    await bench.tokens(LONG, seed=9)
    (answer,) = await bench.run(bench.ask((*LONG, 7, 7, 7)))
    assert answer.cached in {89, 90}
    assert answer.tokens == await by_hand(folder, prefix_bytes=0).tokens((*LONG, 7, 7, 7))


async def test_the_next_turn_of_a_conversation_begins_with_the_last_answer(
    by_hand: Open, folder: Path
) -> None:
    bench = by_hand(folder)
    turn = (*LONG, *await bench.tokens(LONG, 40), 7, 7, 7)
    (answer,) = await bench.run(bench.ask(turn))
    # Not every kind of batch reads the last token of an answer.
    assert answer.cached in {129, 130}
    assert answer.tokens == await by_hand(folder, prefix_bytes=0).tokens(turn)


@pytest.mark.parametrize("steps", [3, 12, 40])
async def test_an_answer_that_joins_after_a_shared_prefix_is_the_same_as_alone(
    by_hand: Open, folder: Path, steps: int
) -> None:
    bench = by_hand(folder)
    joining = (*LONG[:70], 7, 7, 7)
    first = bench.ask(LONG, 60)
    await bench.step(steps)
    second = bench.ask(joining, 20)
    third = bench.ask(LONG, 20, seed=3)
    await bench.run(first, second, third)
    fresh = by_hand(folder, prefix_bytes=0)
    assert first.tokens == await fresh.tokens(LONG, 60)
    assert second.tokens == await fresh.tokens(joining, 20)
    assert third.tokens == await fresh.tokens(LONG, 20, seed=3)


@pytest.mark.parametrize("prefix_bytes", [0, 1 << 30])
async def test_the_choices_of_a_request_share_one_prefill_with_and_without_a_prefix_cache(
    by_hand: Open, folder: Path, prefix_bytes: int
) -> None:
    bench = by_hand(folder, prefix_bytes=prefix_bytes)
    answers = await bench.run(*(bench.ask(LONG, 5, seed=seed) for seed in range(3)))
    assert [answer.cached for answer in answers] == [0, 89, 89]
    fresh = by_hand(folder, prefix_bytes=0)
    assert [answer.tokens for answer in answers] == [
        await fresh.tokens(LONG, 5, seed=seed) for seed in range(3)
    ]


async def test_the_choices_of_a_short_prompt_share_its_prefill(by_hand: Open, folder: Path) -> None:
    bench = by_hand(folder, prefix_bytes=0)
    answers = await bench.run(*(bench.ask(SHORT, 5, seed=seed) for seed in range(3)))
    assert [answer.cached for answer in answers] == [0, 2, 2]
    assert [answer.tokens for answer in answers] == [
        await bench.tokens(SHORT, 5, seed=seed) for seed in range(3)
    ]


@pytest.mark.parametrize("steps", [2, 10, 30])
async def test_the_cached_prefix_of_a_cancelled_answer_does_not_change_others(
    by_hand: Open, folder: Path, steps: int
) -> None:
    bench = by_hand(folder)
    leaving = bench.ask(LONG, 1000)
    await bench.step(steps)
    leaving.cancelled = True
    await bench.step()
    assert await bench.tokens(LONG) == await by_hand(folder, prefix_bytes=0).tokens(LONG)
