"""Models whose caches cannot be batched: their answers take turns, and are the same as in a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from gonogo_server.engine.mlx.api import KVCache
from gonogo_server.engine.mlx.one_at_a_time import OneAtATime
from gonogo_server.engine.mlx.packed.generator import PackedGenerator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Open = Callable[..., Any]
    Make = Callable[..., Path]

pytestmark = pytest.mark.anyio

LONG, SHORT, OTHER = tuple(range(10, 100)), (1, 2, 3), tuple(range(200, 230))
ASKED: Final[list[tuple[tuple[int, ...], int, dict[str, float]]]] = [
    (SHORT, 12, {"seed": 3}),
    (LONG, 12, {"temperature": 0}),
    ((5,), 12, {"seed": 4, "top_p": 0.5}),
    (LONG, 12, {"seed": 5, "frequency_penalty": 2.0, "presence_penalty": 1.0}),
    ((*LONG, 4, 4), 1, {"seed": 6}),
]

CHUNKED: Final[dict[str, object]] = {
    "model_type": "llama4",
    "text_config": {
        "model_type": "llama4_text",
        "attention_bias": False,
        "attention_chunk_size": 32,
        "head_dim": 32,
        "hidden_size": 64,
        "interleave_moe_layer_step": 2,
        "intermediate_size": 64,
        "intermediate_size_mlp": 64,
        "max_position_embeddings": 100_000,
        "num_attention_heads": 2,
        "num_experts_per_tok": 1,
        "num_hidden_layers": 4,
        "num_key_value_heads": 2,
        "num_local_experts": 2,
        "rms_norm_eps": 1e-5,
        "rope_scaling": None,
        "rope_theta": 10000.0,
        "use_qk_norm": False,
        "vocab_size": 320,
    },
}
"""A model with a kind of cache that mlx_lm cannot batch."""


@pytest.fixture
def unbatchable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a Llama's cache look as if it could not be batched."""
    monkeypatch.delattr(KVCache, "merge")


@pytest.fixture
def chunked_folder(make_folder: Make) -> Path:
    return make_folder("chunked", **CHUNKED)


@pytest.fixture
async def answered_in_a_batch(by_hand: Open, endless_folder: Path) -> list[list[int]]:
    bench = by_hand(endless_folder)
    assert isinstance(bench.batch._generator, PackedGenerator)
    answers = [bench.ask(prompt, count, **how) for prompt, count, how in ASKED]
    return [answer.tokens for answer in await bench.run(*answers)]


async def test_it_gives_what_a_batch_gives(
    answered_in_a_batch: list[list[int]],
    by_hand: Open,
    endless_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(KVCache, "merge")
    bench = by_hand(endless_folder)
    assert isinstance(bench.batch._generator, OneAtATime)
    answers = [bench.ask(prompt, count, **how) for prompt, count, how in ASKED]
    assert [answer.tokens for answer in await bench.run(*answers)] == answered_in_a_batch


@pytest.mark.usefixtures("unbatchable")
async def test_the_first_is_answered_first_and_the_others_wait(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    first, second = bench.ask(SHORT, 5), bench.ask(OTHER, 5)
    while not first.ended:
        await bench.step()
        assert not second.pieces
    await bench.run(second)
    assert len(second.tokens) == 5


@pytest.mark.usefixtures("unbatchable")
@pytest.mark.parametrize("steps", [0, 1, 3, 12])
async def test_a_cancelled_answer_makes_room_for_the_next(
    by_hand: Open, endless_folder: Path, steps: int
) -> None:
    bench = by_hand(endless_folder)
    alone = await bench.tokens(OTHER, 5)
    leaving, behind, staying = bench.ask(LONG, 1000), bench.ask(SHORT, 1000), bench.ask(OTHER, 5)
    await bench.step(steps)
    leaving.cancelled = behind.cancelled = True
    await bench.run(staying)
    assert staying.tokens == alone
    assert bench.owned.unfinished == 0
    assert not bench.batch._generator._queue


@pytest.mark.usefixtures("unbatchable")
async def test_a_cached_prefix_is_reused_and_not_changed(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    turn = (*LONG[:60], 7, 7)
    asked = [(LONG, 20), (LONG, 20), (turn, 20), (LONG, 20)]
    answers = [(await bench.run(bench.ask(*one)))[0] for one in asked]
    assert [answer.cached for answer in answers] == [0, 89, 60, 89]
    fresh = by_hand(endless_folder, prefix_bytes=0)
    assert [answer.tokens for answer in answers] == [await fresh.tokens(*one) for one in asked]


@pytest.mark.usefixtures("unbatchable")
async def test_equal_prompts_share_one_prefill(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    answers = await bench.run(*(bench.ask(LONG, 5, seed=seed) for seed in range(3)))
    assert [answer.cached for answer in answers] == [0, 89, 89]


@pytest.mark.usefixtures("unbatchable")
async def test_end_tokens_end_an_answer(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    (answer,) = await bench.run(bench.ask(SHORT, 5, without_end=False, bias=[(256, 100.0)]))
    assert [(piece.text, piece.finish_reason) for piece in answer.pieces] == [("", "stop")]


@pytest.mark.usefixtures("unbatchable")
async def test_a_step_that_fails_fails_its_answers_and_the_next_ones_are_answered(
    by_hand: Open, endless_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = by_hand(endless_folder)
    alone = await bench.tokens(SHORT, 5)

    def broken(_: object) -> object:
        raise RuntimeError("out of memory")

    failing = bench.ask(SHORT, 5)
    with monkeypatch.context() as patched:
        patched.setattr(OneAtATime, "next", broken)
        await bench.run(failing)
    assert str(failing.error) == "out of memory"
    assert await bench.tokens(SHORT, 5) == alone


async def test_a_model_with_chunked_caches_is_answered_one_at_a_time(
    by_hand: Open, chunked_folder: Path
) -> None:
    bench = by_hand(chunked_folder)
    assert isinstance(bench.batch._generator, OneAtATime)
    asked = [(SHORT, 40), (LONG, 40), ((*LONG[:40], 7, 7), 40), ((*LONG, 7, 7), 40), (LONG, 40)]
    answers = [(await bench.run(bench.ask(*one)))[0] for one in asked]
    fresh = by_hand(chunked_folder, prefix_bytes=0)
    assert [answer.tokens for answer in answers] == [await fresh.tokens(*one) for one in asked]
    assert [answer.cached for answer in answers] == [0, 0, 0, 89, 89]
