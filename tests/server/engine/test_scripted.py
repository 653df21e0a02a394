"""The engine that says what it was told to."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.engine.base import Generation, Piece, Sampling
from gonogo_server.engine.scripted import BEGIN, Failure, ScriptedEngine
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
async def test_a_generation_of_nothing_is_a_bug_of_the_caller(empty: Generation) -> None:
    with pytest.raises(ValueError, match="one token at least"):
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
