"""Penalties and biases: on their own, and in answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import mlx.core as mx
import pytest
from gonogo_server.engine.base import Sampling
from gonogo_server.engine.mlx.logits import Penalties, processors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Open = Callable[..., Any]

pytestmark = pytest.mark.anyio

PROMPT = (7, 7, 8)


def lowered(penalties: Penalties, answer: Sequence[int]) -> list[float]:
    """The values subtracted from ten equal logits after that answer to `PROMPT`."""
    tokens = list(PROMPT)
    logits = penalties(mx.array(tokens), mx.zeros((1, 10)))
    for token in answer:
        tokens.append(token)
        logits = penalties(mx.array(tokens), mx.zeros((1, 10)))
    return [round(-value, 5) for value in logits[0].tolist()]


def test_a_sampling_that_asks_for_nothing_has_no_processors() -> None:
    assert processors(Sampling(temperature=0.3, top_p=0.5, seed=3)) == []


def test_a_prompt_is_not_penalised() -> None:
    assert lowered(Penalties(1.0, 1.0), ()) == [0.0] * 10


def test_frequency_counts_each_time_and_presence_once() -> None:
    taken = lowered(Penalties(0.5, 0.25), (3, 4, 3, 3, 9))
    assert taken == [0, 0, 0, 3 * 0.25 + 0.5, 0.25 + 0.5, 0, 0, 0, 0, 0.25 + 0.5]


def test_a_token_of_the_prompt_counts_once_it_is_in_the_answer() -> None:
    assert lowered(Penalties(1.5, 0.0), (7,)) == [0, 0, 0, 0, 0, 0, 0, 1.5, 0, 0]


def test_negative_penalties_make_repetition_likelier() -> None:
    assert lowered(Penalties(-1.0, -0.5), (2, 2))[2] == -2.0


async def test_every_answer_is_penalised_for_what_it_says_itself(by_hand: Open, endless_folder: Path) -> None:
    # Only four tokens are possible, and repeated ones are much less likely.
    bench = by_hand(endless_folder)
    four = [(token, 100.0) for token in (40, 41, 42, 43)]
    asked = {"temperature": 0, "frequency_penalty": 30.0, "bias": four}
    alone = await bench.tokens(PROMPT, 4, **asked)
    assert sorted(alone) == [40, 41, 42, 43]
    together = await bench.run(
        bench.ask(PROMPT, 4, **asked), bench.ask((1, 40, 40, 40), 4, **asked), bench.ask(PROMPT, 9)
    )
    assert together[0].tokens == alone
    assert sorted(together[1].tokens) == sorted(alone)


@pytest.mark.parametrize("token", [0, 5, 319])
async def test_a_bias_of_100_forces_a_token(by_hand: Open, endless_folder: Path, token: int) -> None:
    bench = by_hand(endless_folder)
    assert await bench.tokens(PROMPT, 6, bias=[(token, 100.0)]) == [token] * 6


async def test_a_bias_of_minus_100_bans_a_token(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    (favourite, *_) = await bench.tokens(PROMPT, 1, temperature=0)
    banned = await bench.tokens(PROMPT, 60, temperature=0, bias=[(favourite, -100.0)])
    assert favourite not in banned
    assert await bench.tokens(PROMPT, 1, temperature=0) == [favourite]


async def test_log_probabilities_have_the_bias_in_them(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    (answer,) = await bench.run(bench.ask(PROMPT, 1, bias=[(5, 100.0), (6, 100.0)], top_logprobs=3))
    (token,) = answer.pieces[0].logprobs
    assert {one.id for one in token.top_logprobs[:2]} == {5, 6}
    assert token.top_logprobs[2].logprob < -50
