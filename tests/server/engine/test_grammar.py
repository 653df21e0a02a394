"""Grammars: answers match them whatever the model's output, and other answers in the batch are unaffected."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import gonogo_server.engine.mlx  # noqa: F401 - a BLAS comes before mlx
import jsonschema_rs
import mlx.core as mx
import pytest
from gonogo_server.engine.base import Generation, Sampling
from gonogo_server.engine.mlx.grammar import GrammarMask
from gonogo_server.errors import BadRequest
from llguidance import LLMatcher

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gonogo_server.engine.mlx.engine import MlxEngine

    Open = Callable[..., Any]
    Make = Callable[..., Path]

pytestmark = pytest.mark.anyio

PROMPT, LONG = (1, 2, 3), tuple(range(10, 100))
SCHEMA: Final = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 6},
        "colour": {"enum": ["teal", "ochre"]},
        "sizes": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 99}, "maxItems": 3},
    },
    "required": ["name", "colour", "sizes"],
    "additionalProperties": False,
}
GRAMMAR: Final[str] = LLMatcher.grammar_from_json_schema(SCHEMA, overrides={"whitespace_flexible": False})
VOWELS: Final = "start: /[aeiou]{3,5}/"


def text_of(answer: Any) -> str:  # noqa: ANN401 - the conftest's
    return "".join(piece.text for piece in answer.pieces)


def follow(bench: Any, grammar: str = GRAMMAR, tokens: int = 300, **how: Any) -> Any:  # noqa: ANN401 - the conftest's
    matcher = bench.loaded.text.matcher(grammar)
    return bench.ask(how.pop("prompt", PROMPT), tokens, matcher=matcher, without_end=False, **how)


async def test_an_untrained_model_keeps_to_a_schema(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    answers = await bench.run(*(follow(bench, seed=seed) for seed in range(6)))
    values = [json.loads(text_of(answer)) for answer in answers]
    for value in values:
        jsonschema_rs.validator_for(SCHEMA).validate(value)
    assert {answer.pieces[-1].finish_reason for answer in answers} == {"stop"}
    assert len({json.dumps(value) for value in values}) == 6


async def test_answers_in_its_batch_are_the_same_as_alone(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    alone = await bench.tokens(LONG, 40)
    (held,) = await bench.run(follow(bench, seed=4))
    free = bench.ask(LONG, 40)
    await bench.step(7)
    again, other = follow(bench, seed=4), follow(bench, VOWELS, seed=5)
    await bench.run(free, again, other)
    assert free.tokens == alone
    assert again.tokens == held.tokens
    assert set(text_of(other)) <= set("aeiou")


async def test_the_limit_cuts_an_answer_that_is_not_complete(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    (answer,) = await bench.run(follow(bench, tokens=7))
    assert text_of(answer) == '{"name"'
    assert answer.pieces[-1].finish_reason == "length"
    assert answer.error is None


async def test_an_answer_that_is_complete_ends(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    (answer,) = await bench.run(follow(bench, 'start: "yes"'))
    assert text_of(answer) == "yes"
    assert [piece.finish_reason for piece in answer.pieces] == [None, None, None, "stop"]


async def test_the_last_token_of_a_complete_answer_may_be_the_last_one_allowed(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder)
    (answer,) = await bench.run(follow(bench, 'start: "yes"', 3))
    assert (text_of(answer), answer.error) == ("yes", None)
    assert answer.pieces[-1].finish_reason == "length"


async def test_no_bias_makes_possible_what_the_grammar_forbids(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    (answer,) = await bench.run(follow(bench, VOWELS, bias=[(5, 100.0), (256, 100.0)]))
    assert 3 <= len(text_of(answer)) <= 5
    assert set(text_of(answer)) <= set("aeiou")


async def test_log_probabilities_are_of_what_is_allowed(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    (answer,) = await bench.run(follow(bench, 'start: "a" | "b"', top_logprobs=3, seed=1))
    (first, second, impossible) = answer.pieces[0].logprobs[0].top_logprobs
    assert {first.bytes, second.bytes} == {b"a", b"b"}
    assert impossible.logprob == -9999.0


async def test_a_prefix_that_was_read_for_another_is_used_with_a_grammar(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder)
    (first, again) = [(await bench.run(follow(bench, VOWELS, prompt=LONG)))[0] for _ in range(2)]
    assert (first.cached, again.cached) == (0, 89)
    assert first.tokens == again.tokens


async def test_a_model_with_more_logits_than_tokens_never_draws_the_others(
    by_hand: Open, make_folder: Make
) -> None:
    # The tokenizer has 257 tokens; the others have no text, and no grammar can mention them.
    bench = by_hand(make_folder("wide", vocab_size=1000, max_position_embeddings=100_000))
    (answer,) = await bench.run(follow(bench, "start: /[a-z]{30}/"))
    assert len(text_of(answer)) == 30


async def test_two_end_tokens_end_a_grammar_both(by_hand: Open, make_folder: Make) -> None:
    bench = by_hand(make_folder("ends", eos_token_id=[256, 250], max_position_embeddings=100_000))
    assert bench.loaded.text.end_tokens == {256, 250}
    for end in (256, 250):
        (answer,) = await bench.run(follow(bench, 'start: "a"*', bias=[(end, 100.0)]))
        assert [(piece.text, piece.finish_reason) for piece in answer.pieces] == [("", "stop")]


async def test_an_end_token_that_the_tokenizer_does_not_have_hinders_nothing(
    by_hand: Open, make_folder: Make
) -> None:
    for name, ends in (("more", [256, 300]), ("other", [300])):
        bench = by_hand(make_folder(name, eos_token_id=ends, max_position_embeddings=100_000))
        (answer,) = await bench.run(follow(bench, 'start: "yes"', top_logprobs=2))
        assert text_of(answer) == "yes"


async def test_a_matcher_is_cancelled_with_its_answer(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    leaving = follow(bench, "start: /[a-z]+/", 10_000)
    staying = follow(bench, seed=2)
    await bench.step(6)
    had = len(leaving.tokens)
    leaving.cancelled = True
    await bench.run(staying)
    assert len(leaving.tokens) == had
    jsonschema_rs.validator_for(SCHEMA).validate(json.loads(text_of(staying)))


def test_a_token_that_the_grammar_has_no_place_for_is_a_failure_and_no_exception(
    by_hand: Open, endless_folder: Path
) -> None:
    bench = by_hand(endless_folder)
    mask = GrammarMask(bench.loaded.text.matcher(VOWELS))
    logits = mx.zeros((1, 320))
    assert mx.isinf(mask(mx.array(PROMPT), logits)).sum().item() == 315
    assert mask.failure is None
    assert mx.array_equal(mask(mx.array((*PROMPT, 7)), logits), logits)
    assert mask.failure
    assert mx.array_equal(mask(mx.array((*PROMPT, 7, 8)), logits), logits)


def test_a_grammar_that_cannot_be_followed_is_refused(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder)
    with pytest.raises(BadRequest, match="schemas of this request cannot be enforced"):
        bench.loaded.text.matcher("start: nowhere")


async def test_a_refused_grammar_leaves_the_engine_as_it_was(smollm2: MlxEngine) -> None:
    with pytest.raises(BadRequest):
        await anext(smollm2.generate("smollm2", Generation((1,), 5, Sampling(0), grammar="start: nowhere")))
    assert smollm2.unfinished == 0


async def test_the_real_model_fills_a_schema_with_sense(smollm2: MlxEngine) -> None:
    schema = {
        "type": "object",
        "properties": {"capital": {"type": "string", "maxLength": 12}},
        "required": ["capital"],
        "additionalProperties": False,
    }
    grammar = LLMatcher.grammar_from_json_schema(schema, overrides={"whitespace_flexible": False})
    asked = [{"role": "user", "content": "What is the capital of France? Answer in JSON."}]
    prompt = await smollm2.chat_prompt("smollm2", asked)
    generation = Generation(prompt, 40, Sampling(0), grammar=grammar)
    pieces = [piece async for piece in smollm2.generate("smollm2", generation)]
    assert json.loads("".join(piece.text for piece in pieces)) == {"capital": "Paris"}
    assert pieces[-1].finish_reason == "stop"
