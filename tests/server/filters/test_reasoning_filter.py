"""Reasoning and answer are separated wherever the pieces end."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from gonogo_server.answers.align import Placed
from gonogo_server.answers.form import CompletionForm, Heading
from gonogo_server.answers.stream import Answer, Counted, Finished, Reasoned, Started, Text, fold
from gonogo_server.engine.base import Alternative, Piece, Token
from gonogo_server.filters.reasoning import TRANSITIONS, Answered, ReasoningFilter, ReasoningText, Seen, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.answers.stream import Step
    from gonogo_server.engine.base import FinishReason

CASES = [
    ("<think>\nHm. Hm.\n</think>\n\nHi.", False, "Hm. Hm.", "Hi."),
    ("\n<think>Hm</think>Hi", False, "Hm", "Hi"),
    ("Hm.\n</think>\n\nHi.", True, "Hm.", "Hi."),
    ("<think>\n\n</think>\n\nHi.", False, "", "Hi."),
    ("</think>Hi </think> <think>", True, "", "Hi </think> <think>"),
    ("Hi.", False, "", "Hi."),
    ("\n Hi.\n", False, "", "\n Hi.\n"),
    (" ", False, "", " "),
    ("a <think>b</think>", False, "", "a <think>b</think>"),
    ("<thin", False, "", "<thin"),
    ("<thing>", False, "", "<thing>"),
    ("<think>Hm </thin", False, "Hm </thin", ""),
    ("<think>1 </t 2 < 3</think>Hi", False, "1 </t 2 < 3", "Hi"),
    ("<think>Hm\n", False, "Hm", ""),
    ("<think>Hm</think>\n", False, "Hm", ""),
    ("", False, "", ""),
]


def pieces_of(text: str) -> list[list[str]]:
    """The text whole, in single characters, and in three pieces at all positions."""
    cuts = combinations(range(1, len(text)), 2)
    return [[text], list(text), *([text[:a], text[a:b], text[b:]] for a, b in cuts)]


@pytest.mark.parametrize(("text", "opened", "reasoning", "answer"), CASES)
def test_the_pieces_do_not_matter(text: str, reasoning: str, answer: str, *, opened: bool) -> None:
    for pieces in pieces_of(text):
        filter_ = ReasoningFilter("<think>", "</think>", opened=opened)
        parts = [part for piece in pieces for part in filter_.feed(piece)] + filter_.flush()
        assert "".join(part.text for part in parts if isinstance(part, ReasoningText)) == reasoning, pieces
        answered = [part for part in parts if isinstance(part, Answered)]
        assert "".join(part.text for part in answered) == answer, pieces
        assert all(part.text for part in parts)
        assert all(text[part.at :].startswith(part.text) for part in answered)


def test_reasoning_is_not_held_back_unnecessarily() -> None:
    filter_ = ReasoningFilter("<think>", "</think>", opened=True)
    assert filter_.feed("Hm") == [ReasoningText("Hm")]
    assert filter_.feed(" ") == []
    assert filter_.feed("so <") == [ReasoningText(" so")]
    assert filter_.feed("b") == [ReasoningText(" <b")]


def test_every_state_but_the_answer_is_left() -> None:
    assert {state for state, _ in TRANSITIONS} == set(State) - {State.ANSWER}
    assert {seen for _, seen in TRANSITIONS} == set(Seen)


def read(
    pieces: Sequence[Piece], stops: Sequence[str] = (), *, opened: bool = False
) -> tuple[list[Step], int]:
    """The steps of an answer, and the number of its reasoning tokens."""
    one = Answer(0, stops, reasoning=ReasoningFilter("<think>", "</think>", opened=opened))
    return [step for piece in pieces for step in one.take(piece)], one.reasoning_tokens


def token(text: str) -> Piece:
    return Piece(text, 1, None, 0, (Token(Alternative(1, text.encode(), -0.5)),))


END = Piece("", 1, "stop")
THINKING = [token("<think>"), token("Hm"), token("</think>")]


def test_reasoning_is_a_step_of_its_own_and_its_tokens_are_counted() -> None:
    assert read([token("<think>"), token("Hm. "), token("</think>"), token("\nHi"), END]) == (
        [
            Started(0),
            Reasoned(0, "Hm."),
            Text(0, "Hi", (Placed(b"Hi", 20, token("\nHi").logprobs[0]),)),
            Finished(0, "stop", (), -0.5),
        ],
        3,
    )


@pytest.mark.parametrize(
    ("texts", "opened", "count"),
    [
        (["Hm", "</think>", "Hi"], True, 2),
        (["Hm", "</th", "ink>Hi"], True, 3),
        (["<", "think>", "Hm", "</think>", "Hi"], False, 4),
        (["<think>Hm</think>Hi"], False, 1),
        (["<think>", "Hm"], False, 3),
        (["Hi", "<think>"], False, 0),
    ],
)
def test_reasoning_lasts_up_to_the_token_that_completes_its_end(
    texts: list[str], count: int, *, opened: bool
) -> None:
    assert read([*map(token, texts), END], opened=opened)[1] == count


def test_a_stop_string_does_not_cut_the_reasoning_but_the_answer() -> None:
    steps, _ = read([token("<think>"), token("stop here"), token("</think>"), token("Do stop it")], ["stop"])
    whole = fold([*steps, Counted(1, 4)]).answers[0]
    assert (whole.reasoning, whole.text, whole.reason) == ("stop here", "Do ", "stop")


@pytest.mark.parametrize("end", [[], [token("\n")]], ids=["at once", "after a blank"])
def test_an_answer_that_is_reasoning_alone_has_no_log_probabilities(end: list[Piece]) -> None:
    steps, _ = read([*THINKING, *end, END])
    assert steps == [Started(0), Reasoned(0, "Hm"), Finished(0, "stop", (), -0.5)]


def test_the_log_probabilities_of_an_answer_without_reasoning_are_all_there() -> None:
    steps, _ = read([token("\n"), token("Hi"), token("🎉"), END])
    whole = fold([*steps, Counted(1, 4)]).answers[0]
    assert b"".join(placed.data for placed in whole.tokens).decode() == whole.text == "\nHi🎉"


def test_a_completion_has_no_place_for_reasoning() -> None:
    assert CompletionForm(Heading("m")).chunk(Reasoned(0, "Hm")) is None


@pytest.mark.parametrize(
    ("text", "reason", "said", "count"),
    [
        ("\n<thi", "length", "", 1),
        ("\n<thi", "stop", "\n<thi", 0),
        ("\n", "length", "\n", 0),
        ("<b", "length", "<b", 0),
    ],
)
def test_a_start_marker_truncated_by_the_limit_is_not_an_answer(
    text: str, reason: FinishReason, said: str, count: int
) -> None:
    logprobs = token(text).logprobs
    steps, reasoned = read([Piece(text, 1, reason, 0, logprobs)])
    whole = fold([*steps, Counted(1, 1)]).answers[0]
    assert (whole.text, whole.reasoning, reasoned) == (said, "", count)
    assert b"".join(placed.data for placed in whole.tokens).decode() == said
