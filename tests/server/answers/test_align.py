"""Tokens and their visible text, however both are split."""

from __future__ import annotations

import codecs
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from gonogo_server.answers.align import Aligner, Placed
from gonogo_server.answers.stream import Answer, Echo, Finished, Text
from gonogo_server.engine.base import Alternative, Piece, Token
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.answers.stream import Step


def token(data: bytes, logprob: float = -0.5) -> Token:
    return Token(Alternative(0, data, logprob))


def aligned(*tokens: bytes) -> Aligner:
    aligner = Aligner()
    for data in tokens:
        aligner.add(data, token(data))
    return aligner


def spelled(placed: Sequence[Placed]) -> list[tuple[bytes, int]]:
    return [(one.data, one.offset) for one in placed]


def test_a_token_comes_with_the_text_that_it_is() -> None:
    aligner = aligned(b"Hel", b"lo")
    assert spelled(aligner.show(3)) == [(b"Hel", 0)]
    assert spelled(aligner.show(2)) == [(b"lo", 3)]


def test_a_token_whose_text_is_held_back_in_part_waits_for_the_rest() -> None:
    aligner = aligned(b"a<")
    assert aligner.show(1) == ()
    assert spelled(aligner.show(1)) == [(b"a<", 0)]


def test_tokens_of_one_character_come_together_and_begin_where_it_does() -> None:
    smile = "🙂".encode()
    aligner = aligned(b"a", smile[:1], smile[1:3], smile[3:] + b"b")
    assert spelled(aligner.show(1)) == [(b"a", 0)]
    assert spelled(aligner.show(2)) == [(smile[:1], 1), (smile[1:3], 1), (smile[3:] + b"b", 1)]


@pytest.mark.parametrize(
    ("skipped", "left"),
    [(1, [(b"bc\xc3", 1), (b"\xa9", 3)]), (3, [(b"\xc3", 3), (b"\xa9", 3)]), (4, [(b"d", 4)])],
)
def test_the_skipped_part_of_a_token_is_not_returned_with_the_rest(
    skipped: int, left: list[tuple[bytes, int]]
) -> None:
    aligner = aligned(b"abc\xc3", b"\xa9", b"d")
    aligner.skip(skipped)
    rest = spelled(aligner.show(5 - skipped))
    assert rest == [*left, (b"d", 4)] if skipped < 4 else rest == left


def test_a_token_without_text_comes_with_the_next_that_has_some() -> None:
    assert spelled(aligned(b"", b"a", b"", b"b").show(1)) == [(b"", 0), (b"a", 0), (b"", 1)]


@pytest.mark.parametrize(
    ("tokens", "shown", "left"),
    [
        ([b"lo.", b"!"], 2, [(b"lo", 0)]),
        ([b"lo", b"."], 2, []),
        ([b"ab\xf0", b"\x9f\x99\x82"], 2, [(b"ab", 0)]),
        ([b"\xf0", b"\x9f\x99\x82."], 1, [(b"\x9f\x99\x82", 0)]),
        ([b"."], 0, []),
    ],
)
def test_a_cut_leaves_the_part_of_a_token_that_was_shown(
    tokens: list[bytes], shown: int, left: list[tuple[bytes, int]]
) -> None:
    aligner = aligned(*tokens)
    aligner.show(shown)
    assert spelled(aligner.cut()) == left
    assert aligner.rest() == ()


def test_tokens_of_a_character_that_was_never_completed_are_the_rest() -> None:
    aligner = aligned(b"a", b"\xf0", b"\x9f")
    aligner.show(1)
    assert spelled(aligner.rest()) == [(b"\xf0", 1), (b"\x9f", 1)]


def test_bytes_that_are_no_text_stand_for_a_character_each() -> None:
    assert spelled(aligned(b"\xff", b"a").show(2)) == [(b"\xff", 0), (b"a", 1)]


def test_an_answer_behind_an_echo_begins_where_that_ends() -> None:
    steps = Answer(0, (), Echo("né")).take(Piece("x", 1, "stop", logprobs=(token(b"x"),)))
    assert [spelled(step.tokens) for step in steps if isinstance(step, Text)] == [[], [(b"x", 2)]]


def test_log_probabilities_without_text_are_sent_with_the_end() -> None:
    answer = Answer()
    answer.take(Piece("a", 1, logprobs=(token(b"a"),)))
    [finished] = answer.take(Piece("", 1, "length", logprobs=(token(b"\xf0"),)))
    assert isinstance(finished, Finished)
    assert spelled(finished.tokens) == [(b"\xf0", 1)]


def test_the_mean_is_that_of_all_tokens_that_were_generated() -> None:
    answer = Answer(0, ["b"])
    answer.take(Piece("a", 1, logprobs=(token(b"a", -1.0),)))
    [finished] = answer.take(Piece("b", 1, logprobs=(token(b"b", -3.0),)))
    assert finished == Finished(0, "stop", mean_logprob=-2.0)


def answered(data: bytes, cuts: set[int], stops: list[str]) -> list[Step]:
    """The steps of an answer whose tokens are these bytes, split at these positions."""
    answer, decoder = Answer(0, stops), codecs.getincrementaldecoder("utf-8")()
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    parts = [data[begin:end] for begin, end in pairwise(places)]
    steps: list[Step] = []
    for part in parts:
        steps += answer.take(Piece(decoder.decode(part), 1, logprobs=(token(part),)))
        if answer.finished:
            return steps
    return steps + answer.take(Piece("", 1, "stop"))


@given(
    st.text("abé🙂", max_size=9),
    st.sets(st.integers(1, 30)),
    st.lists(st.text("abé🙂", min_size=1, max_size=3), max_size=3),
)
@settings(deadline=None, database=None, max_examples=200)
def test_the_bytes_of_the_tokens_are_the_text_for_any_split(
    text: str, cuts: set[int], stops: list[str]
) -> None:
    said = [step for step in answered(text.encode(), cuts, stops) if isinstance(step, Text | Finished)]
    shown = "".join(step.text for step in said if isinstance(step, Text))
    placed = [one for step in said for one in step.tokens]
    assert b"".join(one.data for one in placed) == shown.encode()
    before = b""
    for one in placed:
        assert one.offset == len(before.decode(errors="ignore"))
        before += one.data
