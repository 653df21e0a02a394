"""The engine on MLX: a real model, and a tiny one for tests that need no meaningful text."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.engine.base import Generation, Piece, Sampling
from gonogo_server.engine.mlx.engine import Budget, open_engine
from gonogo_server.engine.mlx.packed.generator import PackedGenerator
from gonogo_server.engine.mlx.residents import Limits, Residents
from gonogo_server.errors import BadRequest, EngineDied, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gonogo_server.engine.mlx.engine import MlxEngine

    Collect = Callable[..., Any]
    Open = Callable[..., MlxEngine]

pytestmark = pytest.mark.anyio

PATIENCE = 30.0
CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]


async def say(engine: MlxEngine, prompt: tuple[int, ...], max_tokens: int, **sampling: object) -> list[Piece]:
    model = engine.cards()[0].id
    generation = Generation(prompt, max_tokens, Sampling(**({"temperature": 0} | sampling)))
    async with asyncio.timeout(PATIENCE), aclosing(engine.generate(model, generation)) as steps:
        return [piece async for piece in steps]


async def idle(engine: MlxEngine) -> None:
    while engine.unfinished:  # noqa: ASYNC110 - the thread sets no event when it has dropped a job
        await asyncio.sleep(0)


def joined(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


async def test_a_real_model_knows_the_capital_of_france(smollm2: MlxEngine) -> None:
    answer = await say(smollm2, await smollm2.chat_prompt("smollm2", CAPITAL), 32)
    assert "Paris" in joined(answer)
    assert "<|" not in joined(answer)
    assert [piece.finish_reason for piece in answer] == [None] * (len(answer) - 1) + ["stop"]
    assert {piece.tokens for piece in answer} == {1}


async def test_the_real_models_card_says_what_its_file_says(smollm2: MlxEngine) -> None:
    (card,) = smollm2.cards()
    assert (card.id, card.type, card.context_length) == ("smollm2", "chat", 8192)
    assert card.created > 0


async def test_a_completion_goes_on_with_the_text(smollm2: MlxEngine, pieces: Collect) -> None:
    answer = await pieces(smollm2, "The capital of France is", 4)
    assert "Paris" in joined(answer)
    assert answer[-1].finish_reason == "length"
    assert len(answer) == 4


async def test_equal_seeds_give_the_same_text_in_any_batch(smollm2: MlxEngine, pieces: Collect) -> None:
    drawn = {"temperature": 1.0, "top_p": 0.95, "seed": 11}
    alone = await pieces(smollm2, "Once", 6, **drawn)
    together = await asyncio.gather(
        *(pieces(smollm2, "Once", 6, **drawn | {"seed": seed}) for seed in (11, 12))
    )
    assert together[0] == alone
    assert together[1] != alone


async def test_without_a_seed_answers_differ(open_model: Open, tiny_folder: Path, pieces: Collect) -> None:
    engine = open_model(tiny_folder)
    first, second = [await pieces(engine, "A", 64, temperature=2.0) for _ in range(2)]
    assert joined(first) != joined(second)


async def test_a_folder_is_served_under_its_name(
    open_model: Open, tiny_folder: Path, pieces: Collect
) -> None:
    engine = open_model(tiny_folder)
    (card,) = engine.cards()
    assert (card.id, card.context_length) == ("tiny-llama", 128)
    assert len(await pieces(engine, "Hello", 5)) == 5


async def test_a_long_prompt_taken_in_steps_is_answered_like_one_taken_whole(
    open_model: Open, tiny_folder: Path, pieces: Collect
) -> None:
    drawn = {"temperature": 1.0, "seed": 1}
    whole = await pieces(open_model(tiny_folder), "ab" * 30, 16, **drawn)
    in_steps = open_model(tiny_folder, limits=Limits(read_step=7))
    assert await pieces(in_steps, "ab" * 30, 16, **drawn) == whole


async def test_an_answer_ends_where_the_context_is_full(
    open_model: Open, tiny_folder: Path, pieces: Collect
) -> None:
    # At temperature 2 with random weights each token is drawn from 320; seed 5 draws no end token in 8.
    answer = await pieces(open_model(tiny_folder), "x" * 120, 1000, temperature=2.0, seed=5)
    assert len(answer) == 8
    assert answer[-1].finish_reason == "length"


async def test_a_prompt_that_fills_the_context_is_refused(
    open_model: Open, tiny_folder: Path, pieces: Collect
) -> None:
    with pytest.raises(BadRequest, match="128 tokens"):
        await pieces(open_model(tiny_folder), "x" * 128, 1)


async def test_answers_take_turns(smollm2: MlxEngine) -> None:
    prompt = await smollm2.encode("smollm2", "One, two, three,")
    order: list[int] = []

    async def listen(number: int) -> None:
        async with aclosing(smollm2.generate("smollm2", Generation(prompt, 6, Sampling(0)))) as steps:
            async for _ in steps:
                order.append(number)  # noqa: PERF401 - recorded as it happens

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(listen(0), listen(1))
    assert order.index(1) < 6, "the second had to wait for the first to end"


async def test_closing_the_iterator_stops_the_generation(smollm2: MlxEngine) -> None:
    prompt = await smollm2.encode("smollm2", "Once upon a time")
    steps = smollm2.generate("smollm2", Generation(prompt, 8000, Sampling(0)))
    async with asyncio.timeout(PATIENCE):
        await anext(steps)
        assert smollm2.unfinished == 1
        await steps.aclose()
        # All 8000 tokens would take longer than the test's limit.
        await idle(smollm2)


async def test_cancelling_the_waiting_task_stops_the_generation(smollm2: MlxEngine) -> None:
    prompt = await smollm2.encode("smollm2", "word " * 4000)
    waiting = asyncio.ensure_future(say(smollm2, prompt, 8))
    async with asyncio.timeout(PATIENCE):
        while not smollm2.unfinished:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await idle(smollm2)
    assert (await say(smollm2, prompt[:4], 1))[0].tokens == 1


async def test_an_unknown_model_is_a_bug_of_the_caller(smollm2: MlxEngine) -> None:
    with pytest.raises(KeyError):
        await smollm2.encode("other", "Hi")
    with pytest.raises(KeyError):
        await anext(smollm2.generate("other", Generation((1,), 1, Sampling())))


def breaking_with(error: BaseException) -> Callable[..., object]:
    """A failing step of the batch."""

    def broken(*_: object) -> object:
        raise error

    return broken


async def test_a_step_that_fails_fails_its_answers_and_the_next_ones_are_answered(
    open_model: Open, tiny_folder: Path, pieces: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_model(tiny_folder)
    whole = await pieces(engine, "Hello", 3)
    with monkeypatch.context() as patched:
        patched.setattr(PackedGenerator, "next", breaking_with(RuntimeError("out of memory")))
        with pytest.raises(RuntimeError, match="out of memory"):
            await pieces(engine, "Hello", 3)
    assert engine.alive
    assert joined(await pieces(engine, "Hello", 3)) == joined(whole)


async def test_an_answer_that_cannot_be_begun_fails_at_once(
    open_model: Open, tiny_folder: Path, pieces: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_model(tiny_folder)

    def refuse(*_: object) -> None:
        raise RuntimeError("no room on the device")

    with monkeypatch.context() as patched:
        patched.setattr("gonogo_server.engine.mlx.engine.TokenSequence", refuse)
        with pytest.raises(RuntimeError, match="no room on the device"):
            await pieces(engine, "Hello", 3)
    assert len(await pieces(engine, "Hello", 3)) == 3


async def test_a_dying_thread_fails_waiting_and_later_requests(
    open_model: Open, tiny_folder: Path, pieces: Collect, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_model(tiny_folder)
    monkeypatch.setattr(PackedGenerator, "next", breaking_with(SystemExit()))
    failures = await asyncio.gather(*(pieces(engine, "Hello") for _ in range(12)), return_exceptions=True)
    assert {type(failure) for failure in failures} == {EngineDied}
    assert not engine.alive
    with pytest.raises(EngineDied, match="restart the server"):
        await engine.encode("tiny-llama", "Hi")
    with pytest.raises(EngineDied):
        await anext(engine.generate("tiny-llama", Generation((1,), 1, Sampling())))
    await engine.close()


@pytest.mark.parametrize("steps", [1, 5, 40])
async def test_no_request_waits_after_the_thread_dies_in_any_step(
    open_model: Open, endless_folder: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    engine = open_model(endless_folder, limits=Limits(sequences=2, read_step=16))
    genuine, left = PackedGenerator.next, [steps]

    def dying(generator: PackedGenerator) -> object:
        if not left[0]:
            raise SystemExit("out of order")
        left[0] -= 1
        return genuine(generator)

    monkeypatch.setattr(PackedGenerator, "next", dying)
    without_end = {"logit_bias": ((256, -100),)}
    waiting = [
        *(say(engine, tuple(range(start, 90)), 1000, **without_end) for start in range(5)),
        engine.score("endless", tuple(range(300)) * 20, 1),
    ]
    async with asyncio.timeout(PATIENCE):
        failures = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(failure) for failure in failures} == {EngineDied}
    assert not engine.alive
    for late in (say(engine, (1,), 1), engine.score("endless", (1, 2), 0), engine.encode("endless", "a")):
        with pytest.raises(EngineDied, match="restart the server"):
            await late


async def test_no_request_waits_after_the_thread_dies_during_a_load(
    open_model: Open, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_model(tiny_folder, budget=Budget(preload=()))
    monkeypatch.setattr(Residents, "load", breaking_with(SystemExit("out of order")))
    async with asyncio.timeout(PATIENCE):
        failures = await asyncio.gather(*(say(engine, (1,), 1) for _ in range(3)), return_exceptions=True)
    assert {type(failure) for failure in failures} == {EngineDied}
    assert [card.loaded for card in engine.cards()] == [False]


async def test_two_hundred_requests_half_of_them_cancelled_leave_nothing_behind(
    open_model: Open, endless_folder: Path
) -> None:
    limit = 1 << 18
    engine = open_model(endless_folder, limits=Limits(sequences=4, prefix_bytes=limit))

    async def ask(number: int) -> None:
        how = Sampling(seed=number, logit_bias=((256, -100.0),))
        tokens = 100_000 if number % 2 else 1 + number % 5
        generation = Generation((number % 256, *range(number % 50)), tokens, how)
        async with aclosing(engine.generate("endless", generation)) as steps:
            left = number % 4
            async for _ in steps:
                if number % 2 and not left:
                    return
                left -= 1

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(ask(number) for number in range(200)))
        await idle(engine)

    def left_over(owned: Residents) -> tuple[int, int, bool]:
        (batch,) = owned._batches.values()
        return owned.unfinished, batch._generator.prompt_cache_nbytes, owned._prefixes.nbytes <= limit

    assert engine._worker.call(left_over).result(PATIENCE) == (0, 0, True)
    assert engine._pool.leases("endless") == 0


async def test_closing_the_engine_fails_what_still_runs(open_model: Open, endless_folder: Path) -> None:
    engine = open_model(endless_folder)
    without_end = Sampling(0, logit_bias=((256, -100),))
    steps = engine.generate("endless", Generation((1,), 1_000_000, without_end))
    await anext(steps)
    await engine.close()
    with pytest.raises(EngineDied):
        async for _ in steps:
            pass
    assert not engine.alive


def test_a_model_that_cannot_be_loaded_is_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "hollow"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "nothing-of-this-name"}')
    (folder / "model.safetensors").touch()
    with pytest.raises(ModelUnavailable, match="hollow cannot be served: "):
        open_engine([str(folder)])


SCRIPT = """
import asyncio, sys
from gonogo_server.engine.base import Generation, Sampling
from gonogo_server.engine.mlx.packed.generator import PackedGenerator
from gonogo_server.engine.mlx.engine import Budget, open_engine
from gonogo_server.engine.mlx.residents import Limits, Residents
engine = open_engine(sys.argv[1:])
async def main():
    async for piece in engine.generate("endless", Generation((1, 2), 10**6, Sampling(0))):
        break
asyncio.run(main())
"""


@pytest.mark.parametrize("ending", ["", "asyncio.run(engine.close())"])
def test_the_process_ends_in_order_whether_or_not_the_engine_was_closed(
    ending: str, endless_folder: Path
) -> None:
    command = [sys.executable, "-c", SCRIPT + ending, str(endless_folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
