"""How tokens are sampled from logits."""

from __future__ import annotations

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import mlx.core as mx
import pytest
from gonogo_server.engine.base import Sampling
from gonogo_server.engine.mlx.sampler import sampler

ODDS = [0.1, 0.5, 0.3, 0.1]
LIKELIEST = 1


def draws(sampling: Sampling, count: int = 64) -> list[int]:
    draw = sampler(sampling)
    logprobs = mx.log(mx.array([ODDS]))
    return [int(draw(logprobs).item()) for _ in range(count)]


@pytest.mark.parametrize(
    "sampling",
    [Sampling(temperature=0), Sampling(temperature=1e-40), Sampling(top_p=0.0), Sampling(top_p=1e-40)],
)
def test_nothing_is_left_to_chance_at_zero(sampling: Sampling) -> None:
    assert set(draws(sampling)) == {LIKELIEST}


def test_a_low_temperature_does_not_overflow() -> None:
    assert set(draws(Sampling(temperature=2e-6))) == {LIKELIEST}


def test_top_p_keeps_the_likeliest_tokens_that_reach_it() -> None:
    assert set(draws(Sampling(top_p=0.4))) == {1}
    assert set(draws(Sampling(top_p=0.7))) == {1, 2}


def test_temperature_comes_before_top_p() -> None:
    # At temperature 2 the two likeliest tokens have 0.6 of the probability, at 1 they have 0.8.
    assert set(draws(Sampling(temperature=2, top_p=0.7))) > {1, 2}


def test_every_token_can_be_drawn() -> None:
    assert set(draws(Sampling(seed=1), 256)) == {0, 1, 2, 3}


@pytest.mark.parametrize("seed", [0, 7, -1, 2**63 - 1, -(2**63)])
def test_equal_seeds_draw_equally(seed: int) -> None:
    assert draws(Sampling(seed=seed)) == draws(Sampling(seed=seed))


def test_other_seeds_draw_otherwise() -> None:
    assert draws(Sampling(seed=1)) != draws(Sampling(seed=2))


def test_without_a_seed_every_answer_is_its_own() -> None:
    # Equal by chance in one of 10 ** 29 runs.
    assert draws(Sampling()) != draws(Sampling())


def test_all_greedy_answers_share_one_sampler_as_mlx_lm_draws_for_all_rows_at_once_then() -> None:
    assert sampler(Sampling(temperature=0)) is sampler(Sampling(temperature=0, seed=3))


def test_drawing_leaves_the_random_state_of_the_thread_alone() -> None:
    mx.random.seed(5)
    untouched = mx.random.uniform(shape=(4,)).tolist()
    mx.random.seed(5)
    draws(Sampling(seed=1))
    assert mx.random.uniform(shape=(4,)).tolist() == untouched
