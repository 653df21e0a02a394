"""Log probabilities of generated and of given tokens."""

from __future__ import annotations

from concurrent.futures import Future
from math import exp, log
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import pytest
from gonogo_server.engine.mlx import top_logprobs
from gonogo_server.engine.mlx.api import make_prompt_cache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gonogo_server.engine.base import Token
    from gonogo_server.engine.mlx.engine import MlxEngine

    Open = Callable[..., Any]

pytestmark = pytest.mark.anyio

PROMPT = tuple(range(10, 60))


def reported(*logprobs: float, chosen: int = 0, count: int = 0) -> Token:
    return top_logprobs.token(mx.array(logprobs), chosen, count, lambda token: bytes([token]))


def test_the_most_likely_come_first_and_the_lower_id_of_equal_ones() -> None:
    token = reported(log(0.1), log(0.3), log(0.2), log(0.3), log(0.1), chosen=2, count=3)
    assert [one.id for one in token.top_logprobs] == [1, 3, 2]
    assert token.chosen == token.top_logprobs[2]
    assert token.chosen.bytes == b"\x02"


def test_as_many_as_the_vocabulary_has_can_be_asked_for() -> None:
    assert [one.id for one in reported(-3.0, -1.0, -2.0, count=3).top_logprobs] == [1, 2, 0]


def test_none_can_be_asked_for() -> None:
    assert reported(-1.0, -2.0, chosen=1).top_logprobs == ()


def test_impossible_tokens_have_a_number_that_json_can_represent() -> None:
    token = reported(0.0, -float("inf"), chosen=1, count=2)
    assert token.chosen.logprob == top_logprobs.FLOOR == -9999.0
    assert token.top_logprobs[1].logprob == -9999.0


async def test_a_greedy_answer_takes_the_most_likely_token_each_time(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder)
    (answer,) = await bench.run(bench.ask(PROMPT, 8, temperature=0, top_logprobs=5))
    for piece in answer.pieces:
        (token,) = piece.logprobs
        assert token.chosen == token.top_logprobs[0]
        assert len(token.top_logprobs) == 5


async def test_the_probabilities_of_the_vocabulary_add_up(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    (answer,) = await bench.run(bench.ask(PROMPT, 3, top_logprobs=320))
    for piece in answer.pieces:
        assert sum(exp(one.logprob) for one in piece.logprobs[0].top_logprobs) == pytest.approx(1, abs=1e-4)


async def test_log_probabilities_do_not_depend_on_temperature_and_top_p(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder)
    first, second = await bench.run(
        bench.ask(PROMPT, 1, temperature=2.0, top_logprobs=4),
        bench.ask(PROMPT, 1, temperature=0.1, top_p=0.2, top_logprobs=4),
    )
    assert [one.logprob for one in first.pieces[0].logprobs[0].top_logprobs] == pytest.approx(
        [one.logprob for one in second.pieces[0].logprobs[0].top_logprobs], abs=1e-5
    )


async def test_only_answers_that_request_them_have_them_in_a_batch(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder)
    without, with_some = await bench.run(
        bench.ask(PROMPT, 3, top_logprobs=None), bench.ask(PROMPT, 3, top_logprobs=2)
    )
    assert [piece.logprobs for piece in without.pieces] == [()] * 3
    assert [len(piece.logprobs[0].top_logprobs) for piece in with_some.pieces] == [2] * 3


# ---- Given tokens


async def scored(bench: Any, tokens: tuple[int, ...], count: int = 0) -> list[Token | None]:  # noqa: ANN401 - the conftest's
    future: Future[list[Token | None]] = bench.owned.score(bench.name, tokens, count)
    await bench.run()
    return future.result(0)


async def test_a_score_is_what_generating_would_have_said(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    (answer,) = await bench.run(bench.ask(PROMPT, 20, top_logprobs=4, without_end=False, seed=2))
    said = [token for piece in answer.pieces for token in piece.logprobs]
    scores = await scored(bench, (*PROMPT, *answer.tokens), 4)
    assert len(said) > 5
    assert scores[0] is None
    assert len(scores) == len(PROMPT) + len(said)
    for score, token in zip(scores[len(PROMPT) :], said, strict=True):
        assert score is not None
        assert score.chosen.id == token.chosen.id
        assert score.chosen.logprob == pytest.approx(token.chosen.logprob, abs=1e-4)
        assert [one.id for one in score.top_logprobs] == [one.id for one in token.top_logprobs]


@pytest.mark.parametrize("length", [1, 2, 16, 17, 33])
async def test_texts_of_any_length_are_scored_token_by_token(
    by_hand: Open, endless_folder: Path, length: int
) -> None:
    bench = by_hand(endless_folder)
    tokens = PROMPT[:length]
    model = bench.loaded.model
    logits = model(mx.array(tokens)[None], cache=make_prompt_cache(model))[0]
    logprobs = logits - mx.logsumexp(logits, axis=-1, keepdims=True)
    expected = [logprobs[place, token].item() for place, token in enumerate(tokens[1:])]
    scores = await scored(bench, tokens)
    assert scores[0] is None
    assert [score.chosen.id for score in scores[1:] if score] == list(tokens[1:])
    assert [score.chosen.logprob for score in scores[1:] if score] == pytest.approx(expected, abs=1e-4)


async def test_answers_go_on_while_a_text_is_scored(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    alone = await bench.tokens(PROMPT, 30)
    answer = bench.ask(PROMPT, 30)
    future = bench.owned.score(bench.name, tuple(range(300)), 0)
    await bench.step(10)
    assert answer.pieces
    assert not future.done()
    await bench.run(answer)
    assert answer.tokens == alone
    assert len(future.result(0)) == 300


async def test_scoring_stops_without_a_waiting_caller(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    future = bench.owned.score(bench.name, tuple(range(300)), 0)
    await bench.step(2)
    future.cancel()
    assert not bench.owned.step()


async def test_a_score_that_fails_while_it_is_cancelled_ends_nothing_else(
    by_hand: Open, endless_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = by_hand(endless_folder)
    future = bench.owned.score(bench.name, (1, 2), 0)

    def leave(*_: object, **__: object) -> mx.array:
        future.cancel()
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patched:
        patched.setattr(type(bench.loaded.model), "__call__", leave)
        await bench.run()
    assert future.cancelled()
    assert len(await bench.tokens(PROMPT, 3)) == 3


async def test_a_score_whose_result_comes_just_as_it_is_cancelled_ends_nothing_else(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder)

    class Hasty(Future[object]):
        """Cancelled just before it gets its result."""

        def set_result(self, result: object) -> None:
            self.cancel()
            super().set_result(result)

    bench.owned.score(bench.name, (1, 2), 0)
    ((steps, _),) = bench.owned._jobs
    future: Future[object] = Hasty()
    bench.owned._jobs = [(steps, future)]
    await bench.run()
    assert future.cancelled()


async def test_a_score_that_fails_fails_alone(
    by_hand: Open, endless_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = by_hand(endless_folder)
    answer = bench.ask(PROMPT, 10)
    await bench.step(8)

    def broken(*_: object) -> None:
        raise RuntimeError("out of memory")

    with monkeypatch.context() as patched:
        patched.setattr(bench.loaded.text, "spell", broken)
        future = bench.owned.score(bench.name, (1, 2, 3), 0)
    await bench.step()
    assert str(future.exception(0)) == "out of memory"
    assert answer.error is None
    await bench.run(answer)


async def test_the_real_model_scores_sense_above_nonsense(smollm2: MlxEngine) -> None:
    texts = ["The capital of France is Paris.", "The capital of France is lamp."]
    sense, nonsense = [
        await smollm2.score("smollm2", await smollm2.encode("smollm2", text), 1) for text in texts
    ]
    assert [token.chosen.bytes for token in sense if token][-2:] == [b" Paris", b"."]
    assert sense[-2]
    assert nonsense[-2]
    assert sense[-2].chosen.logprob > nonsense[-2].chosen.logprob + 3
    assert sense[-2].top_logprobs[0].bytes == b" Paris"
