"""Ids that are used twice, by one request or by different ones, whatever else was refused meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from conftest import Judge, Make

STEPS = """
    When a chat completion is requested with {}
    And a chat completion is requested with {"n": 1}
    And a chat completion is requested with {"n": 2}
    And any chat completion is requested
    Then no two answers have the same "id"
"""
OTHER = 'POST /chat/completions {"n":1}'
THIRD = 'POST /chat/completions {"n":2}'


@pytest.mark.parametrize(
    ("first", "second", "third", "verdict"),
    [
        ("a", "b", "c", Verdict.PASS),
        ("a", "b", "a", Verdict.FAIL),
        ("a", "a", "b", Verdict.FAIL),
        ("a", "b", None, Verdict.PASS),
        ("a", "a", None, Verdict.FAIL),
        ("a", None, None, Verdict.INCONCLUSIVE),
    ],
)
def test_no_id_is_given_twice(
    make: Make, judged: Judge, first: str, second: str | None, third: str | None, verdict: Verdict
) -> None:
    bodies = [{"id": name} if name else {} for name in (first, second, third)]
    answers = [
        make(body, key=key, name=f"x{number}")
        for number, (body, key) in enumerate(
            zip(bodies, ("POST /chat/completions {}", OTHER, THIRD), strict=True), 1
        )
    ]
    assert judged(STEPS, *answers).verdict is verdict


def test_a_refusal_leaves_the_others_to_be_compared(make: Make, judged: Judge) -> None:
    refused = make({"error": {}}, key=OTHER, name="x2", status=400)
    assert (
        judged(STEPS, make({"id": "a"}), refused, make({"id": "b"}, key=THIRD, name="x3")).verdict
        is Verdict.PASS
    )


def test_the_answers_that_share_an_id_are_shown(make: Make, judged: Judge) -> None:
    found = judged(
        STEPS, make({"id": "a"}), make({"id": "a"}, key=OTHER, name="x2"), make({}, key=THIRD, name="x3")
    )
    assert found.actual == "2 answers share the \"id\" 'a'"
    assert [piece.exchange for piece in found.evidence] == ["x1", "x2"]
