"""Answers of one model side by side: steps are taken by hand, so that each stage is reached for certain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.engine.mlx.packed.generator import PackedGenerator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Open = Callable[..., Any]

pytestmark = pytest.mark.anyio

LONG, SHORT, OTHER = range(10, 100), (1, 2, 3), range(200, 220)
"""Prompts of 90, 3 and 20 tokens."""


async def test_answers_that_join_and_leave_change_nothing_for_the_others(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder, prefix_bytes=0)
    alone = [
        await bench.tokens(SHORT, 60, seed=1),
        await bench.tokens(LONG, 30, seed=2),
        await bench.tokens(OTHER, 5, seed=3),
        await bench.tokens(SHORT, 40, temperature=0),
    ]
    first = bench.ask(SHORT, 60, seed=1)
    await bench.step(10)
    second = bench.ask(LONG, 30, seed=2)
    leaving = bench.ask(OTHER, 100, seed=4)
    await bench.step(8)
    third = bench.ask(OTHER, 5, seed=3)
    assert 0 < len(first.tokens) < 60
    await bench.step(3)
    leaving.cancelled = True
    fourth = bench.ask(SHORT, 40, temperature=0)
    answers = await bench.run(first, second, third, fourth)
    assert [answer.tokens for answer in answers] == alone
    assert [answer.pieces[-1].finish_reason for answer in answers] == ["length"] * 4


async def test_a_second_answer_begins_while_the_first_is_being_generated(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder)
    first = bench.ask(SHORT, 1000)
    await bench.step(5)
    second = bench.ask(OTHER, 3)
    await bench.step(10)
    assert second.ended
    assert not first.ended
    assert len(first.tokens) > 5


async def test_a_long_prompt_does_not_keep_others_from_their_next_token(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder)
    first = bench.ask(SHORT, 1000)
    await bench.step(5)
    long = bench.ask([7, 8] * 400, 1)
    before = len(first.tokens)
    await bench.step(20)
    assert len(first.tokens) - before == 20
    assert not long.pieces


async def test_more_answers_than_rows_wait_their_turn(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder, sequences=2)
    alone = await bench.tokens(OTHER, 6)
    answers = [bench.ask(OTHER, 6) for _ in range(5)]
    await bench.step(4)
    assert len(bench.batch._sequences) == 2
    assert bench.batch.unfinished == 5
    assert [bool(answer.pieces) for answer in answers] == [True, True, False, False, False]
    assert [answer.tokens for answer in await bench.run(*answers)] == [alone] * 5


async def test_waiting_requests_are_answered_in_their_order_of_arrival(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder, sequences=1)
    leaving = bench.ask(SHORT, 1000)
    # The first of them are the longest, so that none finishes first because it is short.
    waiting = [bench.ask([number] * length, length) for number, length in ((4, 9), (5, 5), (6, 3), (7, 1))]
    await bench.step(3)
    assert not any(answer.pieces for answer in waiting)
    leaving.cancelled = True
    for first, *behind in (waiting[place:] for place in range(4)):
        while not first.ended:
            await bench.step()
            assert not any(answer.pieces for answer in behind)


@pytest.mark.parametrize(
    ("steps", "stage"), [(0, "waiting"), (1, "reading"), (3, "reading"), (12, "answering")]
)
async def test_a_cancelled_answer_is_gone_with_the_next_step_and_the_others_go_on(
    by_hand: Open, endless_folder: Path, steps: int, stage: str
) -> None:
    bench = by_hand(endless_folder)
    alone = await bench.tokens(SHORT, 60)
    staying = bench.ask(SHORT, 60)
    await bench.step(4)
    leaving = bench.ask(LONG, 1000)
    await bench.step(steps)
    uids = [uid for uid, sequence in bench.batch._sequences.items() if sequence.ticket is leaving]
    in_stage = {
        "waiting": not uids,
        "reading": bench.batch._reading == set(uids) != set(),
        "answering": bool(leaving.tokens),
    }
    assert in_stage[stage]
    leaving.cancelled = True
    had = len(leaving.pieces)
    await bench.step()
    assert bench.batch.unfinished == 1
    assert not bench.batch._reading
    assert bench.batch._generator.extract_cache(uids) == {}
    await bench.run(staying)
    assert staying.tokens == alone
    assert len(leaving.pieces) == had


async def test_a_queued_prompt_can_be_cancelled(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder, sequences=16)
    answers = [bench.ask([number, *range(100, 190)], 3) for number in range(12)]
    await bench.step()
    # Eight are read at a time, so that no part of the last one's prompt is read.
    answers[-1].cancelled = True
    await bench.run(*answers)
    assert not answers[-1].pieces
    assert all(len(answer.tokens) == 3 for answer in answers[:-1])


async def test_the_read_part_of_a_cancelled_prompt_is_reused(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    leaving = bench.ask(LONG)
    await bench.step(3)
    leaving.cancelled = True
    again = bench.ask(LONG)
    await bench.run(again)
    assert again.cached == 48
    fresh = by_hand(endless_folder)
    assert again.tokens == await fresh.tokens(LONG)


async def test_all_being_cancelled_leaves_nothing_to_do(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder, sequences=2)
    answers = [bench.ask(LONG, 1000, seed=seed) for seed in range(4)]
    await bench.step(9)
    for answer in answers:
        answer.cancelled = True
    assert not bench.owned.step()
    assert bench.owned.unfinished == 0
    assert len(await bench.tokens(SHORT, 3)) == 3


async def test_the_same_seed_draws_the_same_among_others_and_other_seeds_otherwise(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder)
    drawn = {"temperature": 1.3, "top_p": 0.9}
    alone = {seed: await bench.tokens(SHORT, seed=seed, **drawn) for seed in (1, 2, -3)}
    together = await bench.run(*(bench.ask(SHORT, seed=seed, **drawn) for seed in (2, 1, -3, 1)))
    assert [answer.tokens for answer in together] == [alone[2], alone[1], alone[-3], alone[1]]
    assert len({tuple(tokens) for tokens in alone.values()}) == 3


async def test_answers_without_a_seed_differ_within_a_batch(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    first, second = await bench.run(*(bench.ask(SHORT, 32, seed=None) for _ in range(2)))
    # Each of 32 tokens is drawn from 319 that are about equally likely.
    assert first.tokens != second.tokens


async def test_the_end_token_ends_an_answer_and_has_no_text(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    (answer,) = await bench.run(bench.ask(SHORT, 5, without_end=False, bias=[(256, 100.0)]))
    (piece,) = answer.pieces
    assert (piece.text, piece.tokens, piece.finish_reason, piece.logprobs) == ("", 1, "stop", ())


async def test_an_end_token_at_the_limit_is_a_regular_end(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    (answer,) = await bench.run(bench.ask(SHORT, 1, without_end=False, bias=[(256, 100.0)]))
    assert [piece.finish_reason for piece in answer.pieces] == ["stop"]


async def test_exactly_max_tokens_are_generated(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    answers = await bench.run(*(bench.ask(LONG, count) for count in (1, 2, 17)))
    assert [sum(piece.tokens for piece in answer.pieces) for answer in answers] == [1, 2, 17]


async def test_a_prompt_of_one_token_is_answered(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    alone = await bench.tokens([5])
    beside = bench.ask(LONG, 40)
    one = bench.ask([5])
    await bench.run(one, beside)
    assert one.tokens == alone
    assert one.cached == 0


# ---- What goes wrong


class Poisoned:
    """A matcher that fails after this many requests for a mask."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def is_error(self) -> bool:
        return False

    def is_stopped(self) -> bool:
        return False

    def consume_token(self, token: int) -> bool:
        return True

    def compute_ff_tokens(self) -> list[int]:
        return []

    def compute_bitmask(self) -> bytes:
        if not self.left:
            raise ValueError("poison")
        self.left -= 1
        return b"\xff" * 40


@pytest.mark.parametrize("steps", [0, 1, 5])
async def test_a_processor_that_breaks_fails_its_answer_alone(
    by_hand: Open, endless_folder: Path, steps: int
) -> None:
    bench = by_hand(endless_folder)
    alone = [await bench.tokens(SHORT, 20), await bench.tokens(LONG, 20)]
    first = bench.ask(SHORT, 20)
    poisoned = bench.ask(OTHER, 20, matcher=Poisoned(steps))
    second = bench.ask(LONG, 20)
    await bench.run(first, second, poisoned)
    assert [first.tokens, second.tokens] == alone
    assert len(poisoned.tokens) <= steps
    with pytest.raises(RuntimeError, match=r"cannot be followed.*poison"):
        raise poisoned.error
    assert bench.owned.unfinished == 0


async def test_a_token_that_cannot_be_written_fails_its_answer_alone(
    by_hand: Open, endless_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = by_hand(endless_folder)
    alone = await bench.tokens(SHORT, 20)

    def broken(token: int) -> str:
        raise ValueError(f"no text for {token}")

    with monkeypatch.context() as patched:
        patched.setattr(bench.loaded.text, "stream", lambda: broken)
        unwritable = bench.ask(OTHER, 20)
    staying = bench.ask(SHORT, 20)
    await bench.run(staying, unwritable)
    assert staying.tokens == alone
    assert "no text for" in str(unwritable.error)
    assert not unwritable.pieces


def fail_once(monkeypatch: pytest.MonkeyPatch, method: str, error: BaseException) -> None:
    """Make the next call of a method of the batch raise."""
    genuine = getattr(PackedGenerator, method)

    def broken(generator: object, *arguments: object, **named: object) -> object:
        monkeypatch.setattr(PackedGenerator, method, genuine)
        raise error

    monkeypatch.setattr(PackedGenerator, method, broken)


async def test_a_failed_step_fails_its_answers_and_waiting_requests_are_answered(
    by_hand: Open, endless_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench = by_hand(endless_folder, sequences=2)
    alone = await bench.tokens(LONG, 10)
    running = [bench.ask(SHORT, 100), bench.ask(OTHER, 100)]
    waiting = bench.ask(LONG, 10)
    await bench.step(5)
    fail_once(monkeypatch, "next", RuntimeError("out of memory"))
    await bench.run(*running, waiting)
    assert "in broken" in caplog.text
    assert {str(answer.error) for answer in running} == {"out of memory"}
    assert waiting.error is None
    assert waiting.tokens == alone
    assert await bench.tokens(SHORT, 3) == running[0].tokens[:3]


async def test_the_cache_of_a_failed_step_is_not_reused(
    by_hand: Open, endless_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = by_hand(endless_folder)
    failing = bench.ask(LONG, 100)
    await bench.step(12)
    fail_once(monkeypatch, "next", RuntimeError("out of memory"))
    await bench.step()
    assert failing.error is not None
    (again,) = await bench.run(bench.ask(LONG))
    assert again.cached == 0


async def test_an_answer_that_cannot_join_fails_alone(
    by_hand: Open, endless_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = by_hand(endless_folder)
    alone = await bench.tokens(SHORT, 20)
    staying = bench.ask(SHORT, 20)
    await bench.step(3)
    refused = bench.ask(OTHER, 20)
    fail_once(monkeypatch, "insert", ValueError("no such cache"))
    await bench.run(staying, refused)
    assert str(refused.error) == "no such cache"
    assert staying.tokens == alone


async def test_a_failed_prefix_lookup_fails_only_its_request(
    by_hand: Open, endless_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = by_hand(endless_folder)
    alone = await bench.tokens(SHORT, 20)
    staying = bench.ask(SHORT, 20)
    await bench.step(3)

    def broken(*_: object) -> None:
        raise ValueError("no such prefix")

    refused = bench.ask(OTHER, 20)
    with monkeypatch.context() as patched:
        patched.setattr(bench.prefixes, "longest", broken)
        await bench.run(staying, refused)
    assert str(refused.error) == "no such prefix"
    assert staying.tokens == alone


@pytest.mark.usefixtures("broken_log")
async def test_a_failed_step_is_survived_even_where_it_cannot_be_logged(
    by_hand: Open, endless_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = by_hand(endless_folder)
    failing = bench.ask(LONG, 100)
    fail_once(monkeypatch, "next", RuntimeError("out of memory"))
    await bench.run(failing)
    assert str(failing.error) == "out of memory"
    assert len(await bench.tokens(LONG, 3)) == 3


@pytest.mark.unmeasured  # two hundred answers run the same lines as a few
async def test_two_hundred_answers_half_of_them_cancelled_leave_nothing_behind(
    by_hand: Open, endless_folder: Path
) -> None:
    limit = 1 << 18
    bench = by_hand(endless_folder, prefix_bytes=limit)
    answers = []
    for number in range(200):
        prompt = [number % 256, *range(number % 60)]
        answers.append(bench.ask(prompt, 1 + number % 7, seed=number))
        await bench.step(number % 3)
        if number % 2:
            answers[number // 2].cancelled = True
        assert bench.prefixes.nbytes <= limit
    await bench.run(*answers)
    generator = bench.batch._generator
    assert bench.owned.unfinished == len(bench.batch._reading) == 0
    assert generator.prompt_cache_nbytes == 0
    assert bench.prefixes.nbytes == sum(entry.nbytes for entry in bench.prefixes._entries.values())
    assert bench.owned._deliveries._pending == {}
