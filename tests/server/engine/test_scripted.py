"""The engine that answers from a script."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from math import exp, isclose
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.engine.base import Generation, Piece, Sampling, ToolStyle
from gonogo_server.engine.distribution import OTHERS, distribution
from gonogo_server.engine.scripted import BEGIN, END, GAP, VOCABULARY, Failure, ScriptedEngine
from gonogo_server.errors import BadRequest, EngineDied

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_server.engine.base import Message

    Collect = Callable[..., Any]

pytestmark = pytest.mark.anyio

SHORT = Generation((BEGIN, 65), 8, Sampling())


async def test_it_answers_a_byte_a_token_and_stops(pieces: Collect) -> None:
    answered = await pieces(ScriptedEngine(answer="Hi"), "Hello")
    assert answered == [Piece("H", 1), Piece("i", 1), Piece("", 1, "stop")]


async def test_it_ends_at_the_limit(pieces: Collect) -> None:
    assert await pieces(ScriptedEngine(answer="Hi"), "Hello", 2) == [Piece("H", 1), Piece("i", 1, "length")]


async def test_the_end_token_may_be_the_last_that_is_allowed(pieces: Collect) -> None:
    assert (await pieces(ScriptedEngine(answer="Hi"), "Hello", 3))[-1] == Piece("", 1, "stop")


async def test_a_character_of_several_tokens_comes_whole(pieces: Collect) -> None:
    answered = await pieces(ScriptedEngine(answer="é!"), "Hello")
    assert [piece.text for piece in answered] == ["", "é", "!", ""]


async def test_a_character_that_is_cut_off_at_the_limit_is_left_out(pieces: Collect) -> None:
    assert await pieces(ScriptedEngine(answer="aé"), "Hello", 2) == [Piece("a", 1), Piece("", 1, "length")]


async def test_an_answer_can_depend_on_the_prompt(pieces: Collect) -> None:
    answered = await pieces(ScriptedEngine(answer=str.upper), "né", 8)
    assert "".join(piece.text for piece in answered) == "NÉ"


async def test_it_ends_where_the_context_is_full(pieces: Collect) -> None:
    answered = await pieces(ScriptedEngine(answer="abcdef", context_length=8), "Hello")
    assert "".join(piece.text for piece in answered) == "ab"
    assert answered[-1].finish_reason == "length"


async def test_a_prompt_that_fills_the_context_is_refused(pieces: Collect) -> None:
    with pytest.raises(BadRequest, match="11 tokens") as refused:
        await pieces(ScriptedEngine(context_length=8), "Hello, you")
    assert refused.value.code == "context_length_exceeded"


@pytest.mark.parametrize("empty", [Generation((), 8, Sampling()), Generation((BEGIN,), 0, Sampling())])
async def test_an_empty_generation_is_a_bug_of_the_caller(empty: Generation) -> None:
    with pytest.raises(ValueError, match="at least one prompt token"):
        await anext(ScriptedEngine().generate("scripted", empty))


async def test_the_template_writes_roles_and_asks_for_the_assistant() -> None:
    engine = ScriptedEngine()
    said: list[Message] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    prompt = await engine.chat_prompt("scripted", said)
    assert bytes(prompt[1:]).decode() == "system: Be brief.\nuser: Hi\nassistant: "


async def test_the_template_refuses_a_late_system_message() -> None:
    said = [{"role": "user", "content": "Hi"}, {"role": "system", "content": "Be brief."}]
    with pytest.raises(BadRequest, match="first"):
        await ScriptedEngine().chat_prompt("scripted", said)


async def test_a_gate_lets_one_token_through_at_a_time() -> None:
    gate = asyncio.Semaphore(0)
    engine = ScriptedEngine(answer="Hi", gate=gate.acquire)
    async with aclosing(engine.generate("scripted", SHORT)) as steps:
        first = asyncio.ensure_future(anext(steps))
        await asyncio.sleep(0)
        assert not first.done()
        gate.release()
        assert (await first).text == "H"


async def test_closing_stops_what_runs() -> None:
    engine = ScriptedEngine(answer="Hi")
    steps = engine.generate("scripted", SHORT)
    await anext(steps)
    assert engine.running == 1
    await steps.aclose()
    assert engine.running == 0
    assert engine.generations == [SHORT]


async def test_a_failure_comes_after_the_tokens_that_went_well() -> None:
    engine = ScriptedEngine(answer="Hi")
    engine.failure = Failure(1, RuntimeError("out of luck"))
    steps = engine.generate("scripted", SHORT)
    assert (await anext(steps)).text == "H"
    with pytest.raises(RuntimeError, match="out of luck"):
        await anext(steps)
    assert engine.running == 0
    assert engine.alive


async def test_death_reaches_a_generation_that_waits() -> None:
    engine = ScriptedEngine(gate=asyncio.Semaphore(0).acquire)
    waiting = asyncio.ensure_future(anext(engine.generate("scripted", SHORT)))
    await asyncio.sleep(0)
    engine.die()
    with pytest.raises(EngineDied, match="start the server again"):
        await waiting
    assert not engine.alive


async def test_nothing_is_done_after_the_end() -> None:
    engine = ScriptedEngine()
    await engine.close()
    with pytest.raises(EngineDied):
        await engine.encode("scripted", "Hi")
    with pytest.raises(EngineDied):
        await anext(engine.generate("scripted", SHORT))


async def test_an_unknown_model_is_a_bug_of_the_caller() -> None:
    with pytest.raises(KeyError):
        await ScriptedEngine().encode("other", "Hi")


# ---- its distribution ------------------------------------------------------------------------------------

BIASED = Sampling(logit_bias=((1000, 3.0), (ord("t"), -100.0)), presence_penalty=1.0, frequency_penalty=0.5)


@pytest.mark.parametrize("sampling", [Sampling(), BIASED], ids=["plain", "biased"])
def test_its_probabilities_add_up_and_the_most_likely_come_first(sampling: Sampling) -> None:
    ruled = distribution(ord("t"), VOCABULARY, sampling, {ord("e"): 2, 1001: 1})
    assert isclose(sum(exp(ruled.logprob(token)) for token in range(VOCABULARY)), 1.0)
    values = [logprob for _, logprob in ruled.ranked]
    assert values == sorted(values, reverse=True)
    assert all(value < 0 for value in values)


@pytest.mark.parametrize("penalty", [-2.0, 2.0])
@pytest.mark.parametrize("allowed", [None, frozenset({ord("e")}), frozenset({ord("e"), 1001})], ids=str)
def test_the_penalties_of_a_long_answer_leave_it_a_distribution(
    penalty: float, allowed: frozenset[int] | None
) -> None:
    counts = {ord("e"): 100_000}
    ruled = distribution(ord("e"), VOCABULARY, Sampling(frequency_penalty=penalty), counts, allowed)
    assert isclose(sum(exp(ruled.logprob(token)) for token in range(VOCABULARY)), 1.0)


def test_the_expected_token_is_the_most_likely_and_twenty_others_are_likelier_than_the_rest() -> None:
    ruled = distribution(ord("t"), VOCABULARY, Sampling(), {})
    assert ruled.first == ord("t")
    assert len([logprob for _, logprob in ruled.ranked if logprob > ruled.others]) > 20
    assert ruled.logprob(999) == ruled.others < OTHERS


def test_a_penalty_is_for_each_time_or_once() -> None:
    said = {ord("e"): 3}
    plain = distribution(ord("t"), VOCABULARY, Sampling(), {})
    gaps = []
    for sampling in (Sampling(presence_penalty=1.0), Sampling(frequency_penalty=1.0)):
        ruled = distribution(ord("t"), VOCABULARY, sampling, said)
        # Both tokens have the same normalizer, so the difference of their log probabilities is that of their logits.
        gaps.append(ruled.logprob(ord("a")) - ruled.logprob(ord("e")))
    before = plain.logprob(ord("a")) - plain.logprob(ord("e"))
    assert [round(gap - before, 9) for gap in gaps] == [1.0, 3.0]


async def reported(engine: ScriptedEngine, top_logprobs: int, sampling: Sampling) -> list[Piece]:
    generation = Generation((BEGIN, 65), 8, sampling, top_logprobs)
    async with aclosing(engine.generate("scripted", generation)) as steps:
        return [piece async for piece in steps]


async def test_each_token_but_the_end_comes_with_its_probability_and_the_most_likely() -> None:
    *said, last = await reported(ScriptedEngine(answer="Hi"), 3, Sampling())
    assert last.logprobs == ()
    for piece in said:
        [token] = piece.logprobs
        assert token.chosen == token.top_logprobs[0]
        assert token.chosen.bytes == piece.text.encode()
        assert len(token.top_logprobs) == 3


async def test_a_bias_changes_the_text() -> None:
    forced = await reported(ScriptedEngine(answer="Hi"), 0, Sampling(logit_bias=((1000, 100.0),)))
    assert "".join(piece.text for piece in forced) == chr(1000) * 8
    assert forced[-1].finish_reason == "length"


async def test_a_character_that_another_token_breaks_off_is_replaced() -> None:
    sampling = Sampling(logit_bias=((0xF0, 100.0),), frequency_penalty=2.0)
    said = await reported(ScriptedEngine(answer="Hi"), 0, sampling)
    assert "".join(piece.text for piece in said).startswith("\ufffd")


async def test_every_scored_token_but_the_first_has_a_predecessor() -> None:
    first, *others = await ScriptedEngine().score("scripted", (BEGIN, 72, 105), 2)
    assert first is None
    assert [score.chosen.bytes for score in others if score] == [b"H", b"i"]
    assert all(score and len(score.top_logprobs) == 2 for score in others)


async def test_tokens_are_bytes_or_characters_or_nothing() -> None:
    assert await ScriptedEngine().decode("scripted", (BEGIN, 72, 1000, END)) == (
        b"",
        b"H",
        chr(1000).encode(),
        b"",
    )


async def test_the_middle_is_asked_for_between_two_texts() -> None:
    assert await ScriptedEngine().infill_prompt("scripted", "a", "b") == (BEGIN, 97, GAP, 98)


async def test_it_remembers_the_beginnings_of_prompts_for_each_model() -> None:
    engine = ScriptedEngine(("one", "other"))

    async def cached(model: str, text: str) -> int:
        generation = Generation(await engine.encode(model, text), 1, Sampling())
        async with aclosing(engine.generate(model, generation)) as steps:
            return (await anext(steps)).cached

    assert [await cached("one", text) for text in ("abc", "abd", "abc")] == [0, 3, 3]
    assert await cached("other", "abc") == 0


async def test_vectors_have_length_one_and_depend_on_the_text() -> None:
    engine = ScriptedEngine((), embedding_models=["vectors"])
    assert [card.type for card in engine.cards()] == ["embedding"]
    inputs = [await engine.encode("vectors", text) for text in ("a", "b", "a")]
    one, other, again = await engine.embed("vectors", inputs)
    assert isclose(sum(value * value for value in one), 1.0)
    assert one == again != other


async def test_it_supports_tools_only_with_a_call_style() -> None:
    engine = ScriptedEngine()
    assert await engine.tool_style("scripted") is None
    with pytest.raises(BadRequest, match="not trained on tools"):
        await engine.chat_prompt("scripted", [{"role": "user", "content": "Hi"}], [{"type": "function"}])
    style = ToolStyle("[", "]", lambda text, _tools: text)
    engine = ScriptedEngine(style=style)
    assert await engine.tool_style("scripted") is style
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": {}}}
    messages: list[Message] = [{"role": "assistant", "content": "", "tool_calls": [call]}]
    prompt = await engine.chat_prompt("scripted", messages, [{"type": "function"}])
    assert b"".join(await engine.decode("scripted", prompt)).decode() == (
        f'tool: {{"type": "function"}}\nassistant:  {json.dumps([call])}\nassistant: '
    )


@pytest.mark.parametrize(
    ("script", "rules", "answer"),
    [
        ("Hello!", "start: /(.|\\n)*/", "Hello!"),
        ("Hello!", 'start: %json {"type": "object", "x-guidance": {"whitespace_flexible": false}}', "{}"),
        ("Hello!", 'start: %json {"type": "string"}', '"Hello!"'),
        ("Hello!", 'start: %json {"type": "string", "maxLength": 2}', '"He"'),
        ("Hello!", 'start: "<tool_call>" "Hello!"? "</tool_call>"', "<tool_call>Hello!</tool_call>"),
        ("Hello!", "start: /x{3}/", "xxx"),
        ("é", "start: /[^a-z]/", "é"),
    ],
)
async def test_under_a_grammar_it_says_what_it_can_of_its_script_and_comes_to_the_end(
    script: str, rules: str, answer: str
) -> None:
    generation = Generation((BEGIN,), 40, Sampling(), grammar=rules)
    answered = [piece async for piece in ScriptedEngine(answer=script).generate("scripted", generation)]
    assert "".join(piece.text for piece in answered) == answer
    assert answered[-1].finish_reason == "stop"


async def test_under_a_grammar_other_tokens_are_impossible_and_biases_choose_among_the_rest() -> None:
    sampling = Sampling(logit_bias=((ord("b"), 50.0),))
    generation = Generation((BEGIN,), 4, sampling, logprobs=3, grammar="start: /a|b|c/")
    pieces = [piece async for piece in ScriptedEngine().generate("scripted", generation)]
    assert "".join(piece.text for piece in pieces) == "b"
    first = pieces[0].logprobs[0]
    assert sum(exp(one.logprob) for one in first.top_logprobs) == pytest.approx(1)
    assert {one.id for one in first.top_logprobs} == set(b"abc")


async def test_a_grammar_that_leads_nowhere_fails_the_generation() -> None:
    endless = 'start: %json {"$ref": "#"}'
    with pytest.raises(BadRequest, match="cannot be followed any further"):
        await anext(
            ScriptedEngine().generate("scripted", Generation((BEGIN,), 1, Sampling(), grammar=endless))
        )


async def test_an_invalid_grammar_is_refused_at_the_first_step() -> None:
    with pytest.raises(BadRequest, match="cannot be followed"):
        await anext(
            ScriptedEngine().generate(
                "scripted", Generation((BEGIN,), 1, Sampling(), grammar="start: nowhere")
            )
        )
