"""Grammars are compiled once per model, with a time limit for those who wait."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.engine.mlx.matchers import KEPT, Matchers
from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gonogo_server.engine.mlx.text import Text
    from llguidance import LLMatcher

pytestmark = pytest.mark.anyio
VOWEL, NOWHERE = "start: /[aeiou]/", "start: nowhere"


@pytest.fixture
def text(by_hand: Callable[..., Any], tiny_folder: Path) -> Text:
    read: Text = by_hand(tiny_folder).loaded.text
    return read


@pytest.fixture
def compiled(text: Text, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The compiled grammars, in order."""
    seen: list[str] = []
    compile_it = text.matcher

    def noted(grammar: str) -> LLMatcher:
        seen.append(grammar)
        return compile_it(grammar)

    monkeypatch.setattr(text, "matcher", noted)
    return seen


async def test_two_answers_of_one_grammar_go_their_own_ways(text: Text, compiled: list[str]) -> None:
    matchers = Matchers()
    one, other = await asyncio.gather(*(matchers.at_beginning(text, VOWEL) for _ in range(2)))
    one.consume_tokens(list(text.encode("a")))
    assert (one.is_accepting(), other.is_accepting()) == (True, False)
    assert compiled == [VOWEL]


async def test_a_schema_that_cannot_be_enforced_is_refused_each_time(text: Text, compiled: list[str]) -> None:
    matchers = Matchers()
    for _ in range(2):
        with pytest.raises(BadRequest, match="schemas of this request cannot be enforced"):
            await matchers.at_beginning(text, NOWHERE)
    assert compiled == [NOWHERE]


async def test_the_grammars_used_last_are_kept(text: Text, compiled: list[str]) -> None:
    matchers = Matchers()
    for number in (*range(KEPT), 0, KEPT, 0, 1):
        await matchers.at_beginning(text, f"start: /a{{{number + 1}}}/")
    assert len(compiled) == KEPT + 2


async def test_one_that_takes_too_long_is_refused_and_no_other_waits_for_it(
    text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, begun = threading.Event(), []
    compile_it = text.matcher

    def slowly(grammar: str) -> LLMatcher:
        if grammar == NOWHERE:
            begun.append(grammar)
            held.wait(60)
        return compile_it(grammar)

    monkeypatch.setattr(text, "matcher", slowly)
    impatient, patient = Matchers(0.01), Matchers()
    try:
        for _ in range(2):
            with pytest.raises(BadRequest, match=r"takes more than 0\.01 seconds with the vocabulary"):
                await impatient.at_beginning(text, NOWHERE)
        slow = asyncio.create_task(patient.at_beginning(text, NOWHERE))
        assert not (await patient.at_beginning(text, VOWEL)).is_error()
        assert not slow.done()
        slow.cancel()
    finally:
        held.set()
    assert begun == [NOWHERE] * 2
