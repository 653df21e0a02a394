"""Admission to the batch: as many answers as fit in bytes, in the order of arrival."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import pytest
from gonogo_server.engine import choose
from gonogo_server.engine.base import Generation, Sampling
from gonogo_server.engine.mlx.footprint import measure
from gonogo_server.engine.mlx.residents import Limits
from gonogo_server.settings import Settings
from pydantic import ByteSize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Open = Callable[..., Any]

pytestmark = pytest.mark.anyio

PATIENCE = 30.0
SHORT, OTHER, LONG = (1, 2, 3), (4, 5, 6), tuple(range(10, 100))


def room_for(bench: Any, rows: int, tokens: int) -> int:  # noqa: ANN401 - the conftest's
    """The bytes of the caches of `rows` answers with `tokens` tokens each."""
    return measure(bench.loaded.model).nbytes(rows, tokens)


def test_a_llama_takes_for_each_token_a_key_and_a_value_a_layer(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    # A layer of two key/value heads of 32 numbers.
    per_token = 2 * 32 * 2 * bench.loaded.model.model.embed_tokens.weight.itemsize
    assert room_for(bench, 1, 1001) - room_for(bench, 1, 1000) == per_token
    assert room_for(bench, 7, 1000) == 7 * room_for(bench, 1, 1000)


def test_nothing_is_computed_to_predict_it(by_hand: Open, endless_folder: Path) -> None:
    model = by_hand(endless_folder).loaded.model
    mx.reset_peak_memory()
    before = mx.get_active_memory()
    foreseen = measure(model)
    assert mx.get_peak_memory() - before < 1024
    assert foreseen.nbytes(1, 1) > 64 * 1024


async def test_requests_without_room_wait_for_their_turn(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    alone = await bench.tokens(SHORT, 20)
    room = room_for(bench, 2, 23)
    bench.batch._most_bytes = room
    answers = [bench.ask(list(SHORT), 20) for _ in range(5)]
    await bench.step(5)
    assert len(bench.batch._sequences) == 2
    assert [bool(answer.pieces) for answer in answers] == [True, True, False, False, False]
    assert [answer.tokens for answer in await bench.run(*answers)] == [alone] * 5


async def test_the_caches_never_take_more_than_they_may(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder, prefix_bytes=0)
    room, most = room_for(bench, 3, 150), 0
    bench.batch._most_bytes = room
    answers = [bench.ask(range(number, 5 * number), 1 + 7 * number % 50) for number in range(1, 25)]
    while not all(answer.ended for answer in answers):
        await bench.step()
        assert bench.batch._generator.prompt_cache_nbytes <= room
        most = max(most, len(bench.batch._sequences))
    assert 3 <= most < 16


async def test_one_that_has_no_room_at_all_is_answered_alone(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    alone = [await bench.tokens(prompt, 20) for prompt in (SHORT, LONG, OTHER)]
    bench.batch._most_bytes = 0
    answers = [bench.ask(prompt, 20) for prompt in (SHORT, LONG, OTHER)]
    for place, answer in enumerate(answers):
        while not answer.ended:
            await bench.step()
            assert len(bench.batch._sequences) <= 1
            assert not any(later.pieces for later in answers[place + 1 :])
    assert [answer.tokens for answer in answers] == alone


async def test_a_small_request_does_not_overtake_a_large_one(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    room = room_for(bench, 3, 30)
    bench.batch._most_bytes = room
    first = bench.ask(SHORT, 27)
    await bench.step(3)
    large, small = bench.ask(LONG, 2000), bench.ask(OTHER, 5)
    await bench.step(3)
    assert len(bench.batch._sequences) == 1
    while not first.ended:
        await bench.step()
        assert not large.pieces
        assert not small.pieces
    while not large.pieces:
        await bench.step()
    assert not small.pieces
    large.cancelled = True
    await bench.run(small)
    assert len(small.tokens) == 5


async def test_a_long_answer_takes_its_length_for_each_that_is_beside_it(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder)
    room = room_for(bench, 2, 1090)
    bench.batch._most_bytes = room
    long = bench.ask(LONG, 1000)
    others = [bench.ask(prompt, 5) for prompt in (SHORT, OTHER)]
    await bench.step()
    assert len(bench.batch._sequences) == 2
    await bench.run(*others, long)


async def test_a_model_of_unknown_cache_size_answers_requests_one_at_a_time(
    by_hand: Open, endless_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = by_hand(endless_folder)
    alone = await bench.tokens(SHORT, 20)

    def broken(_: object) -> None:
        raise ValueError("no such cache")

    monkeypatch.setattr("gonogo_server.engine.mlx.batch.measure", broken)
    bench.batch._most_bytes = 1
    first = bench.ask(SHORT, 20)
    await bench.step(3)
    second = bench.ask(OTHER, 20)
    await bench.run(first, second)
    assert first.tokens == alone
    assert str(second.error) == "no such cache"


async def order(bench: Any, answers: dict[str, Any]) -> list[str]:  # noqa: ANN401 - the conftest's
    """The names of answers without a token, in the order in which they get their first one."""
    begun: list[str] = []
    while len(begun) < len(answers):
        await bench.step()
        begun += [name for name, answer in answers.items() if answer.pieces and name not in begun]
    return begun


async def test_a_request_for_many_choices_delays_the_next_request_by_one_choice(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder, sequences=1)
    many = {f"many {number}": bench.ask(SHORT, 3, first=number == 0, seed=number) for number in range(6)}
    await bench.step()
    later = {name: bench.ask(OTHER, 3) for name in ("one", "two", "three")}
    assert await order(bench, many | later) == [
        "many 0",
        "many 1",
        "one",
        "many 2",
        "two",
        "many 3",
        "three",
        "many 4",
        "many 5",
    ]


async def test_requests_that_keep_coming_do_not_keep_the_other_answers_of_one_waiting(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder, sequences=1)
    many = [bench.ask(SHORT, 3, first=number == 0) for number in range(3)]
    asked = 0
    while not all(answer.ended for answer in many):
        bench.ask(OTHER, 3)
        asked += 1
        await bench.step()
        assert asked < 100


async def test_an_answer_whose_turn_it_is_keeps_it_until_there_is_room(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder)
    bench.batch._most_bytes = room_for(bench, 2, 30)
    running = bench.ask(SHORT, 20)
    await bench.step()
    large = bench.ask(LONG, 20, first=False)
    await bench.step()
    small = bench.ask(OTHER, 5)
    while not running.ended:
        await bench.step()
        assert not small.pieces
    assert await order(bench, {"small": small, "large": large}) == ["large", "small"]


async def test_an_engine_keeps_to_its_budget(
    open_model: Open, endless_folder: Path, shapes_read: list[tuple[int, int]]
) -> None:
    engine = open_model(endless_folder, limits=Limits(batch_bytes=0))

    async def ask(seed: int) -> int:
        generation = Generation(SHORT, 9, Sampling(seed=seed, logit_bias=((256, -100),)))
        async with aclosing(engine.generate("endless", generation)) as pieces:
            return sum([piece.tokens async for piece in pieces])

    async with asyncio.timeout(PATIENCE):
        assert await asyncio.gather(*map(ask, range(4))) == [9] * 4
    assert {rows for rows, _ in shapes_read} == {1}


async def test_the_setting_is_the_engines(tiny_folder: Path) -> None:
    engine = choose.alone(Settings(models=(str(tiny_folder),), batch_bytes=ByteSize(7)))
    batches = engine._worker.call(lambda owned: list(owned._batches.values())).result()
    assert [batch._most_bytes for batch in batches] == [7]
    await engine.close()
