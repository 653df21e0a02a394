from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from gonogo.exchange import Request
from gonogo.reasons import Reason
from gonogo.verdict import Because, Verdict

if TYPE_CHECKING:
    from conftest import Judge, Make

COUNTED = (
    'When a chat completion is requested with {"n": 2, "max_tokens": 2}\n'
    "Then the tokens of all 2 choices are counted once"
)
KEY = 'POST /chat/completions {"max_tokens":2,"n":2}'
TEXTS = (
    'When a chat completion is requested with {"n": 2, "max_tokens": %d}\nThen each of the 2 choices has text'
)
FULL, EARLY = {"index": 0, "finish_reason": "length"}, {"index": 1, "finish_reason": "stop"}


@pytest.mark.parametrize(
    ("choices", "because"),
    [
        ([FULL], Because(Reason.FEWER_CHOICES, {"found": 1, "number": 2}, ("x1",))),
        ([FULL, EARLY], Because(Reason.LIMIT_NOT_REACHED_BY_ALL, {}, ("x1",))),
    ],
)
def test_unknown_token_counts_are_omitted_with_the_reason(
    choices: list[object], because: Because, make: Make, judged: Judge
) -> None:
    found = judged(COUNTED, make({"choices": choices, "usage": {"completion_tokens": 2}}, key=KEY))
    assert (found.verdict, found.because) == (Verdict.INCONCLUSIVE, because)


@pytest.mark.parametrize(("limit", "verdict"), [(2, Verdict.INCONCLUSIVE), (4, Verdict.FAIL)])
def test_a_choice_without_text_is_wrong_only_where_its_tokens_cannot_be_parts_of_one_character(
    limit: int, verdict: Verdict, make: Make, judged: Judge
) -> None:
    choices = [
        {"index": place, "finish_reason": "length", "message": {"role": "assistant", "content": said}}
        for place, said in enumerate(("Hi", ""))
    ]
    key = f'POST /chat/completions {{"max_tokens":{limit},"n":2}}'
    asked = json.dumps({"n": 2, "max_tokens": limit}).encode()
    exchange = replace(make({"choices": choices}, key=key), request=Request("POST", "/x", body=asked))
    found = judged(TEXTS % limit, exchange)
    assert found.verdict is verdict
