from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from conftest import Judge, Make

COUNTED = (
    'When a chat completion is requested with {"n": 2, "max_tokens": 2}\n'
    "Then the tokens of all 2 choices are counted"
)
KEY = 'POST /chat/completions {"max_tokens":2,"n":2}'
FULL, EARLY = {"index": 0, "finish_reason": "length"}, {"index": 1, "finish_reason": "stop"}


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ([FULL], "x1 has 1 of 2 choices"),
        ([FULL, EARLY], "Not every choice of x1 reached its limit"),
    ],
)
def test_tokens_that_cannot_be_known_are_not_counted_and_it_says_why(
    choices: list[object], message: str, make: Make, judged: Judge
) -> None:
    found = judged(COUNTED, make({"choices": choices, "usage": {"completion_tokens": 2}}, key=KEY))
    assert (found.verdict, found.message) == (Verdict.INCONCLUSIVE, message)
