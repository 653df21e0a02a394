"""Drafts from the prompt: which tokens they propose, and that they change nothing but the time of an answer."""

from __future__ import annotations

import pytest
from gonogo_server.engine.mlx.packed.drafts import Drafts
from gonogo_server.engine.mlx.packed.pace import BEFORE, LEAST, MOST, Pace
from gonogo_server.engine.mlx.packed.progress import Progress
from gonogo_server.engine.mlx.sampler import greedy

END = 99


def progress(tokens: list[int], max_tokens: int = 10) -> Progress:
    """An answer after prefill, whose draft has just been read."""
    one = Progress(
        1,
        [*tokens],
        [],
        [],
        max_tokens,
        greedy,
        [],
        None,
        wants_logprobs=False,
        end_tokens=frozenset({END}),
        drafts=Drafts(tokens),
    )
    one.add_draft()
    one.tokens, one.left = one.left, []
    return one


def test_a_draft_is_what_followed_the_last_three_tokens_before() -> None:
    assert Drafts([1, 2, 3, 4, 5, 6, 1, 2, 3]).propose(9) == [4, 5]
    assert Drafts([1, 2, 3, 4, 5, 6, 1, 2, 3]).propose(1) == [4]
    assert Drafts([1, 2, 3, 4, 5, 6, 1, 2, 3]).propose(0) == []


def test_the_latest_of_several_occurrences_counts() -> None:
    assert Drafts([1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3]).propose(2) == [5, 1]


def test_three_tokens_that_never_occurred_before_have_no_draft() -> None:
    assert Drafts([1, 2, 3, 4, 2, 3]).propose(2) == []
    assert Drafts([1, 2]).propose(2) == []


def test_drafts_stop_after_wrong_ones_and_resume_after_right_ones_that_were_not_tried() -> None:
    drafts = Drafts([1, 2, 3, 4] * 3)
    tried = 0
    while drafts.propose(2, LEAST):
        tried += 1
        drafts.observe(50 + tried)
        for token in (1, 2, 3):
            drafts.observe(token)
    assert tried == 2
    for token in [4, 1, 2, 3] * 3:
        drafts.observe(token)
    assert drafts.propose(2, LEAST)


def test_a_right_draft_is_accepted_with_the_token_after_it() -> None:
    one = progress([1, 2, 3, 4, 5, 1, 2, 3])
    assert one.draft == [4, 5]
    assert one.verify([4, 5, 7]) == [(4, None), (5, None), (7, None)]
    assert one.tokens == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]
    assert one.left == [7]


def test_the_tokens_after_a_wrong_draft_token_are_dropped() -> None:
    one = progress([1, 2, 3, 4, 5, 1, 2, 3])
    assert one.verify([4, 8, 9]) == [(4, None), (8, None)]
    assert one.tokens == [1, 2, 3, 4, 5, 1, 2, 3, 4]
    assert one.left == [8]
    one = progress([1, 2, 3, 4, 5, 1, 2, 3])
    assert one.verify([6, 8, 9]) == [(6, None)]
    assert one.tokens == [1, 2, 3, 4, 5, 1, 2, 3]


def test_an_end_token_and_the_limit_end_an_answer_within_a_draft() -> None:
    one = progress([1, 2, 3, END, 5, 1, 2, 3])
    assert one.verify([END, 5, 7]) == [(END, "stop")]
    one = progress([1, 2, 3, 4, 5, 1, 2, 3], max_tokens=2)
    assert one.draft == [4]
    assert one.verify([4, 5]) == [(4, None), (5, "length")]


def timed(passes: int, plain: float, drafted: float) -> Pace:
    """A pace with `passes` passes of each kind, which took `plain` and `drafted` seconds each."""
    now = [0.0]
    pace = Pace(lambda: now[0])
    for kind, seconds in ((False, plain), (True, drafted)) * passes:
        pace.begin(drafted=kind)
        now[0] += seconds
        pace.end()
    return pace


def test_the_more_a_draft_costs_the_higher_the_required_acceptance_rate() -> None:
    assert timed(3, 1.0, 1.17).required_acceptance == LEAST
    assert LEAST < timed(3, 1.0, 1.5).required_acceptance < timed(3, 1.0, 2.0).required_acceptance < MOST
    assert timed(3, 1.0, 9.0).required_acceptance == MOST


def test_at_the_required_acceptance_rate_a_draft_gains_what_it_costs() -> None:
    rate = timed(3, 1.0, 1.8).required_acceptance
    assert 1 + rate + rate**2 > 1.8


def test_the_cost_of_a_draft_is_assumed_until_some_passes_were_timed() -> None:
    assert timed(2, 1.0, 9.0).required_acceptance == timed(0, 1.0, 9.0).required_acceptance
    assert timed(0, 1.0, 9.0).required_acceptance == pytest.approx(timed(3, 1.0, BEFORE).required_acceptance)


def test_an_end_without_a_begin_records_nothing() -> None:
    pace = timed(3, 1.0, 1.5)
    before = pace.required_acceptance
    pace.end()
    assert pace.required_acceptance == before
