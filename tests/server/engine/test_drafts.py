"""Guesses from the prompt: what they are, and that they change nothing but the time that an answer takes."""

from __future__ import annotations

import pytest
from gonogo_server.engine.mlx.packed.drafts import Drafts
from gonogo_server.engine.mlx.packed.pace import BEFORE, LEAST, MOST, Pace
from gonogo_server.engine.mlx.packed.progress import Progress
from gonogo_server.engine.mlx.sampler import likeliest_token

END = 99


def progress(tokens: list[int], max_tokens: int = 10) -> Progress:
    """An answer whose prompt was read, and which has just been given a guess."""
    one = Progress(
        1,
        [*tokens],
        [],
        [],
        max_tokens,
        likeliest_token,
        [],
        None,
        tells=False,
        end_tokens=frozenset({END}),
        drafts=Drafts(tokens),
    )
    one.guess()
    one.tokens, one.left = one.left, []
    return one


def test_three_tokens_that_stood_together_before_are_followed_as_then() -> None:
    assert Drafts([1, 2, 3, 4, 5, 6, 1, 2, 3]).guess(9) == [4, 5]
    assert Drafts([1, 2, 3, 4, 5, 6, 1, 2, 3]).guess(1) == [4]
    assert Drafts([1, 2, 3, 4, 5, 6, 1, 2, 3]).guess(0) == []


def test_the_last_of_several_places_counts() -> None:
    assert Drafts([1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3]).guess(2) == [5, 1]


def test_what_never_stood_together_is_no_ground_for_a_guess() -> None:
    assert Drafts([1, 2, 3, 4, 2, 3]).guess(2) == []
    assert Drafts([1, 2]).guess(2) == []


def test_wrong_guesses_are_given_up_and_right_ones_that_were_not_tried_bring_them_back() -> None:
    drafts = Drafts([1, 2, 3, 4] * 3)
    tried = 0
    while drafts.guess(2, LEAST):
        tried += 1
        drafts.see(50 + tried)
        for token in (1, 2, 3):
            drafts.see(token)
    assert tried == 2
    for token in [4, 1, 2, 3] * 3:
        drafts.see(token)
    assert drafts.guess(2, LEAST)


def test_a_right_guess_is_kept_with_the_token_behind_it() -> None:
    one = progress([1, 2, 3, 4, 5, 1, 2, 3])
    assert one.guessed == [4, 5]
    assert one.verify([4, 5, 7]) == [(4, None), (5, None), (7, None)]
    assert one.tokens == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]
    assert one.left == [7]


def test_what_follows_a_wrong_token_of_a_guess_is_forgotten() -> None:
    one = progress([1, 2, 3, 4, 5, 1, 2, 3])
    assert one.verify([4, 8, 9]) == [(4, None), (8, None)]
    assert one.tokens == [1, 2, 3, 4, 5, 1, 2, 3, 4]
    assert one.left == [8]
    one = progress([1, 2, 3, 4, 5, 1, 2, 3])
    assert one.verify([6, 8, 9]) == [(6, None)]
    assert one.tokens == [1, 2, 3, 4, 5, 1, 2, 3]


def test_an_end_token_and_the_limit_end_an_answer_within_a_guess() -> None:
    one = progress([1, 2, 3, END, 5, 1, 2, 3])
    assert one.verify([END, 5, 7]) == [(END, "stop")]
    one = progress([1, 2, 3, 4, 5, 1, 2, 3], max_tokens=2)
    assert one.guessed == [4]
    assert one.verify([4, 5]) == [(4, None), (5, "length")]


def timed(passes: int, plain: float, guessed: float) -> Pace:
    """A pace with so many passes of either kind, each of which took so long."""
    now = [0.0]
    pace = Pace(lambda: now[0])
    for kind, seconds in ((False, plain), (True, guessed)) * passes:
        pace.begin(guessed=kind)
        now[0] += seconds
        pace.end()
    return pace


def test_the_dearer_a_guess_is_the_more_of_them_must_be_right() -> None:
    assert timed(3, 1.0, 1.17).least == LEAST
    assert LEAST < timed(3, 1.0, 1.5).least < timed(3, 1.0, 2.0).least < MOST
    assert timed(3, 1.0, 9.0).least == MOST


def test_a_guess_of_which_so_much_is_right_brings_as_much_as_it_costs() -> None:
    right = timed(3, 1.0, 1.8).least
    assert 1 + right + right**2 > 1.8


def test_what_a_guess_costs_is_not_believed_before_some_were_timed() -> None:
    assert timed(2, 1.0, 9.0).least == timed(0, 1.0, 9.0).least
    assert timed(0, 1.0, 9.0).least == pytest.approx(timed(3, 1.0, BEFORE).least)


def test_an_end_without_a_beginning_is_no_pass() -> None:
    pace = timed(3, 1.0, 1.5)
    before = pace.least
    pace.end()
    assert pace.least == before
