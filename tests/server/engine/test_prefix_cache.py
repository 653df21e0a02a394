"""The prefix cache: on its own, and in answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.engine.mlx.prefix_cache import PrefixCache
from gonogo_server.engine.mlx.residents import PREFIXES_LEAST, PREFIXES_MOST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Open = Callable[..., Any]

pytestmark = pytest.mark.anyio

LONG, SHORT = tuple(range(10, 100)), (1, 2, 3)


def cache_of(limit: int, *entries: tuple[tuple[int, ...], int], trimmable: bool = True) -> PrefixCache[str]:
    """A cache of one model with this number of tokens and bytes; the values are the tokens as text."""
    cache: PrefixCache[str] = PrefixCache(limit)
    for tokens, nbytes in entries:
        cache.add("m", tokens, str(tokens), nbytes, trimmable=trimmable)
    return cache


def found(cache: PrefixCache[str], *tokens: int) -> tuple[str, int] | None:
    best = cache.longest("m", tokens)
    return None if best is None else (best[0].value, best[1])


def test_the_longest_common_beginning_is_found() -> None:
    cache = cache_of(100, ((1, 2, 3), 10), ((1, 2, 4, 5), 10))
    assert found(cache, 1, 2, 4, 9) == ("(1, 2, 4, 5)", 3)
    assert found(cache, 1, 2, 3) == ("(1, 2, 3)", 3)
    assert found(cache, 1) is not None
    assert found(cache, 7, 1, 2) is None
    assert found(cache) is None


def test_a_cache_that_cannot_be_trimmed_is_used_completely_or_not_at_all() -> None:
    cache = cache_of(100, ((1, 2), 10), ((1, 2, 3, 4), 10), trimmable=False)
    assert found(cache, 1, 2, 3, 4, 5) == ("(1, 2, 3, 4)", 4)
    assert found(cache, 1, 2, 3) == ("(1, 2)", 2)
    assert found(cache, 1) is None


def test_models_do_not_share_what_they_have_read() -> None:
    cache = cache_of(100, ((1, 2), 10))
    assert cache.longest("other", (1, 2)) is None
    cache.add("other", (1, 2), "theirs", 10, trimmable=True)
    cache.forget("m")
    assert found(cache, 1, 2) is None
    assert cache.longest("other", (1, 2)) is not None
    assert cache.nbytes == 10


def test_the_least_recently_used_prefix_is_evicted_first() -> None:
    cache = cache_of(30, ((1, 1), 10), ((2, 2), 10), ((3, 3), 10))
    assert found(cache, 1, 1)
    cache.add("m", (4, 4), "", 10, trimmable=True)
    assert found(cache, 2, 2) is None
    assert [found(cache, number, number) is not None for number in (1, 3, 4)] == [True] * 3
    cache.add("m", (5, 5), "", 20, trimmable=True)
    assert cache.nbytes == 30
    assert [found(cache, number, number) is not None for number in (1, 3, 4)] == [False, False, True]


def test_a_prefix_larger_than_the_limit_evicts_nothing() -> None:
    cache = cache_of(30, ((1, 1), 10))
    cache.add("m", (2, 2), "", 31, trimmable=True)
    assert found(cache, 2, 2) is None
    assert found(cache, 1, 1)


def test_a_limit_of_nothing_keeps_nothing() -> None:
    cache = cache_of(0, ((1, 1), 10))
    assert len(cache) == cache.nbytes == 0


def test_a_mere_beginning_goes_for_what_is_longer() -> None:
    cache = cache_of(100, ((1, 2), 10), ((1, 3), 10), ((1, 2, 3), 15))
    assert len(cache) == 2
    assert cache.nbytes == 25


def test_a_mere_beginning_of_what_is_there_is_not_kept_beside_it() -> None:
    cache = cache_of(25, ((1, 2, 3), 15), ((5, 6), 10), ((1, 2), 10))
    assert len(cache) == 2
    assert cache.nbytes == 25
    # It counts as used, so it is evicted last.
    cache.add("m", (7, 8), "", 10, trimmable=True)
    assert found(cache, 5, 6) is None
    assert found(cache, 1, 2, 3)


def test_a_beginning_is_kept_where_the_longer_one_cannot_be_trimmed() -> None:
    cache = cache_of(100, ((1, 2), 10), ((1, 2, 3), 10), ((1,), 10), trimmable=False)
    assert len(cache) == 3


def test_equal_tokens_are_kept_once() -> None:
    cache = cache_of(100, ((1, 2), 10), ((1, 2), 12))
    assert (len(cache), cache.nbytes) == (1, 10)
    cache = cache_of(100, ((1, 2), 10), ((1, 2), 12), trimmable=False)
    assert (len(cache), cache.nbytes) == (1, 10)


# ---- In answers


async def test_a_repeated_prompt_is_read_but_for_its_last_token(
    by_hand: Open, endless_folder: Path, shapes_read: list[tuple[int, int]]
) -> None:
    bench = by_hand(endless_folder)
    (first,) = await bench.run(bench.ask(LONG))
    shapes_read.clear()
    (again,) = await bench.run(bench.ask(LONG))
    assert (first.cached, again.cached) == (0, 89)
    assert again.tokens == first.tokens
    assert set(shapes_read) == {(1, 1)}
    assert [piece.cached for piece in again.pieces[1:]] == [0] * (len(again.pieces) - 1)


@pytest.mark.parametrize(
    ("prompt", "cached"),
    [
        ((*LONG[:50], 7, 7, 7), 50),
        ((*LONG[:50], 7), 50),
        (LONG[:50], 49),
        (LONG[:2], 1),
        ((*LONG, 7, 7), 90),
        ((7, *LONG), 0),
    ],
)
async def test_an_answer_does_not_depend_on_earlier_prompts(
    by_hand: Open, endless_folder: Path, prompt: tuple[int, ...], cached: int
) -> None:
    bench = by_hand(endless_folder)
    await bench.tokens(LONG, seed=9)
    (answer,) = await bench.run(bench.ask(prompt))
    assert answer.cached == cached
    (again,) = await bench.run(bench.ask(prompt))
    assert again.cached == len(prompt) - 1
    fresh = by_hand(endless_folder, prefix_bytes=0)
    assert answer.tokens == again.tokens == await fresh.tokens(prompt)


async def test_the_next_turn_of_a_conversation_begins_with_the_last_answer(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder)
    said = await bench.tokens(LONG, 12)
    turn = (*LONG, *said, 5, 6, 7)
    (answer,) = await bench.run(bench.ask(turn))
    # The last token of the answer was not read, because nothing was to follow it.
    assert answer.cached == len(LONG) + len(said) - 1
    fresh = by_hand(endless_folder, prefix_bytes=0)
    assert answer.tokens == await fresh.tokens(turn)


async def test_the_prefix_of_a_running_answer_is_reused(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder, prefix_bytes=0)
    alone = [await bench.tokens(LONG, 40), await bench.tokens((*LONG[:60], 5, 5), 10)]
    first = bench.ask(LONG, 40)
    await bench.step(12)
    assert first.tokens
    second = bench.ask((*LONG[:60], 5, 5), 10)
    await bench.run(first, second)
    assert (first.cached, second.cached) == (0, 60)
    assert [first.tokens, second.tokens] == alone


async def test_equal_prompts_share_one_prefill(
    by_hand: Open, endless_folder: Path, shapes_read: list[tuple[int, int]]
) -> None:
    bench = by_hand(endless_folder, prefix_bytes=0)
    answers = await bench.run(*(bench.ask(LONG, 1, seed=seed) for seed in range(8)))
    assert [answer.cached for answer in answers] == [0, *[89] * 7]
    # 89 tokens of the prompt, and its last token for each of the eight.
    assert sum(rows * tokens for rows, tokens in shapes_read) == 89 + 8
    alone = [await bench.tokens(LONG, 1, seed=seed) for seed in range(8)]
    assert [answer.tokens for answer in answers] == alone


@pytest.mark.parametrize("length", [2, 3, 20, 33])
async def test_the_choices_of_a_request_share_even_a_short_prefill(
    by_hand: Open, endless_folder: Path, shapes_read: list[tuple[int, int]], length: int
) -> None:
    bench = by_hand(endless_folder, prefix_bytes=0, read_step=64)
    prompt = tuple(range(length))
    choices = await bench.run(*(bench.ask(prompt, 1, seed=seed) for seed in range(4)))
    assert [choice.cached for choice in choices] == [0, *[length - 1] * 3]
    # The prompt once, and its last token for each of the four.
    assert sum(rows * tokens for rows, tokens in shapes_read) == length - 1 + 4
    alone = [await bench.tokens(prompt, 1, seed=seed) for seed in range(4)]
    assert [choice.tokens for choice in choices] == alone


async def test_equal_short_prompts_of_several_requests_are_read_side_by_side(
    by_hand: Open, endless_folder: Path, shapes_read: list[tuple[int, int]]
) -> None:
    bench = by_hand(endless_folder, prefix_bytes=0, read_step=64)
    answers = await bench.run(*(bench.ask(list(range(20)), 1) for _ in range(4)))
    assert [answer.cached for answer in answers] == [0] * 4
    # 64 tokens a pass.
    assert shapes_read[:4] == [(1, 20), (1, 20), (1, 20), (1, 4)]


async def test_a_prompt_of_one_token_has_nothing_to_share(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    prompt = (5,)
    choices = [bench.ask(prompt, 9, seed=seed) for seed in range(3)]
    await bench.step()
    assert len(bench.batch._sequences) == 3
    assert [choice.cached for choice in await bench.run(*choices)] == [0] * 3


async def test_choices_that_wait_for_room_need_no_prefill_of_their_own(
    by_hand: Open, endless_folder: Path, shapes_read: list[tuple[int, int]]
) -> None:
    bench = by_hand(endless_folder, sequences=1, prefix_bytes=0)
    choices = await bench.run(*(bench.ask(LONG, 1, seed=seed) for seed in range(3)))
    assert [choice.cached for choice in choices] == [0, 89, 89]
    assert sum(rows * tokens for rows, tokens in shapes_read) == 89 + 3
    assert bench.batch._shared_prefills == []


async def test_a_shared_prefill_is_released_with_the_last_waiting_choice(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder, sequences=1, prefix_bytes=0)
    first, *others = [bench.ask(LONG, 1000) for _ in range(3)]
    while not first.pieces:
        await bench.step()
    assert len(bench.batch._shared_prefills) == 1
    for other in others:
        other.cancelled = True
    await bench.step()
    assert bench.batch._shared_prefills == []


async def test_prompts_behind_one_long_beginning_share_its_prefill(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder, prefix_bytes=0)
    prompts = [(*LONG, *range(number, number + 9)) for number in (100, 120, 140)]
    answers = await bench.run(*(bench.ask(prompt, 5) for prompt in prompts))
    assert [answer.cached for answer in answers] == [0, 90, 90]
    alone = [await bench.tokens(prompt, 5) for prompt in prompts]
    assert [answer.tokens for answer in answers] == alone


async def test_a_request_that_waits_for_a_cancelled_prefill_is_answered(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder, prefix_bytes=0)
    first, *others = [bench.ask(LONG, 5) for _ in range(3)]
    await bench.step(2)
    first.cancelled = True
    await bench.run(*others)
    assert [answer.cached for answer in others] == [0, 89]
    assert others[0].tokens == others[1].tokens == await bench.tokens(LONG, 5)


async def test_prompts_that_begin_otherwise_are_read_the_oldest_first_and_leave_no_pass_unfilled(
    by_hand: Open, endless_folder: Path, shapes_read: list[tuple[int, int]]
) -> None:
    bench = by_hand(endless_folder)
    answers = await bench.run(*(bench.ask([number, *LONG], 1) for number in range(4)))
    assert [answer.cached for answer in answers] == [0] * 4
    # Of 16 tokens a pass the oldest prompt gets 12, and the others share the rest.
    assert shapes_read[0] == (1, 12)
    assert sum(rows * tokens for rows, tokens in shapes_read) == 4 * 91


async def test_bytes_are_kept_within_the_limit_and_the_last_used_stay(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder)
    await bench.tokens(LONG, 2)
    size = bench.prefixes.nbytes
    assert size > 0
    bench = by_hand(endless_folder, prefix_bytes=3 * size)
    prompts = [(number, *LONG[1:]) for number in range(4)]
    for prompt in prompts[:3]:
        await bench.tokens(prompt, 2)
    await bench.tokens(prompts[0], 2)
    await bench.tokens(prompts[3], 2)
    assert bench.prefixes.nbytes <= 3 * size
    cached = [bool(bench.prefixes.longest(bench.name, prompt)) for prompt in prompts]
    assert cached == [True, False, True, True]


async def test_nothing_is_kept_at_a_limit_of_nothing(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder, prefix_bytes=0)
    first, again = await bench.tokens(LONG), await bench.tokens(LONG)
    assert first == again
    assert len(bench.prefixes) == 0
    (third,) = await bench.run(bench.ask(LONG))
    assert third.cached == 0


async def test_unloading_a_model_forgets_what_it_has_read(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    await bench.tokens(LONG)
    bench.owned.unload(bench.name)
    assert bench.prefixes.nbytes == len(bench.prefixes) == 0


def test_a_lower_limit_drops_what_was_not_used_for_the_longest_time() -> None:
    cache = cache_of(30, ((1, 2), 10), ((3, 4), 10), ((5, 6), 10))
    cache.limit_to(20)
    assert (cache.nbytes, found(cache, 1, 2), found(cache, 3, 4)) == (20, None, ("(3, 4)", 2))


@pytest.mark.parametrize(
    ("weights", "limit"), [(1 << 20, PREFIXES_LEAST), (1 << 30, 1 << 29), (1 << 34, PREFIXES_MOST)]
)
def test_the_limit_is_half_of_what_the_models_take_within_bounds(
    by_hand: Open, endless_folder: Path, weights: int, limit: int
) -> None:
    owned = by_hand(endless_folder).owned
    owned._loaded = {name: replace(loaded, nbytes=weights) for name, loaded in owned._loaded.items()}
    assert owned._prefix_bytes == limit
