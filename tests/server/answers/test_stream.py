"""Pieces to steps, and steps to the whole answer."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from gonogo_server.answers.stream import (
    TRANSITIONS,
    Answer,
    Arrival,
    Counted,
    Finished,
    OutOfOrder,
    Said,
    Started,
    State,
    Text,
    fold,
)
from gonogo_server.engine.base import Piece

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.answers.stream import Step

COUNTED = Counted(3, 2)


def steps(pieces: Sequence[Piece], stops: Sequence[str] = ()) -> list[Step]:
    answer = Answer(0, stops)
    return [step for piece in pieces for step in answer.take(piece)]


def test_an_answer_starts_speaks_and_finishes() -> None:
    assert steps([Piece("Hel", 1), Piece("lo", 1), Piece("", 1, "stop")]) == [
        Started(0),
        Text(0, "Hel"),
        Text(0, "lo"),
        Finished(0, "stop"),
    ]


def test_an_answer_of_one_piece_has_all_its_steps() -> None:
    assert steps([Piece("Hello", 1, "length")]) == [Started(0), Text(0, "Hello"), Finished(0, "length")]


def test_an_empty_answer_starts_and_finishes() -> None:
    assert steps([Piece("", 1, "stop")]) == [Started(0), Finished(0, "stop")]


def test_a_piece_without_text_makes_no_step_of_its_own() -> None:
    assert steps([Piece("", 1), Piece("", 1), Piece("a", 1)]) == [Started(0), Text(0, "a")]


def test_a_stop_string_finishes_with_stop_and_counts_its_tokens() -> None:
    answer = Answer(0, ["lo"])
    assert answer.take(Piece("Hel", 1)) == [Started(0), Text(0, "He")]
    assert answer.take(Piece("lo", 1)) == [Text(0, "l"), Finished(0, "stop")]
    assert answer.finished
    assert answer.tokens == 2


def test_text_held_back_is_given_with_the_end() -> None:
    assert steps([Piece("a<", 1), Piece("", 1, "length")], ["</end>"]) == [
        Started(0),
        Text(0, "a"),
        Text(0, "<"),
        Finished(0, "length"),
    ]


def test_a_stop_string_in_the_last_piece_wins_over_the_limit() -> None:
    assert steps([Piece("a.", 1, "length")], ["."]) == [Started(0), Text(0, "a"), Finished(0, "stop")]


def test_answers_carry_their_index() -> None:
    assert Answer(7).take(Piece("a", 1, "stop")) == [Started(7), Text(7, "a"), Finished(7, "stop")]


def test_every_move_that_the_table_lacks_is_an_error() -> None:
    reached = {
        State.WAITING: [],
        State.SPEAKING: [Piece("a", 1)],
        State.FINISHED: [Piece("a", 1, "stop")],
    }
    arrivals = {
        Arrival.PIECE: lambda answer: answer.take(Piece("b", 1)),
        Arrival.LAST_PIECE: lambda answer: answer.take(Piece("b", 1, "stop")),
        Arrival.END: lambda answer: answer.end(),
        Arrival.NOT_ASKED: lambda answer: answer.skip(),
    }
    for state, arrival in itertools.product(State, Arrival):
        answer = Answer()
        for piece in reached[state]:
            answer.take(piece)
        if (state, arrival) in TRANSITIONS:
            arrivals[arrival](answer)
        else:
            with pytest.raises(OutOfOrder):
                arrivals[arrival](answer)


def test_the_complete_answer_equals_the_stream() -> None:
    said = [*steps([Piece("Hel", 1), Piece("lo", 1), Piece("", 1, "stop")]), COUNTED]
    assert fold(said).answers == (Said("Hello", "stop"),)
    assert fold(said).counted == COUNTED


def test_answers_are_distinguished_by_their_index() -> None:
    said = [Started(1), Started(0), Text(1, "b"), Text(0, "a"), Finished(1, "stop"), Finished(0, "length")]
    assert fold([*said, COUNTED]).answers == (Said("a", "length"), Said("b", "stop"))


def test_a_cut_off_stream_has_no_complete_answer() -> None:
    with pytest.raises(OutOfOrder):
        fold([Started(0), Text(0, "a")])
