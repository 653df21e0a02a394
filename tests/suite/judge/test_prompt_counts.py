from __future__ import annotations

import json
from typing import Any

import pytest
from gonogo.exchange import Chunk, Exchange, Request
from gonogo.judge.checks.counts import one_number_each
from gonogo.judge.outcome import Deviation, Kept, Undecided


def answer(number: int, prompt_tokens: object, status: int = 200, **asked: object) -> Exchange:
    """An answer to one prompt, requested with these further fields."""
    fields: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **asked}
    body = json.dumps({"choices": [], "usage": {"prompt_tokens": prompt_tokens}}).encode()
    request = Request("POST", "/chat/completions", body=json.dumps(fields).encode())
    headers = (("content-type", "application/json"),)
    return Exchange(f"x{number}", "s", request, status, headers, (Chunk(0.0, body),), None, 0.0)


@pytest.mark.parametrize(
    "asked",
    [{"temperature": 0}, {"max_tokens": 2, "user": "ada"}, {"tools": None}, {"logprobs": True, "stop": "x"}],
)
def test_two_counts_of_one_prompt_are_reported_with_any_sampling(asked: dict[str, object]) -> None:
    found = one_number_each(answer(0, 9), answer(1, 2, **asked), answer(2, 9))
    assert isinstance(found, Deviation)
    assert (found.expected, found.found) == ("the 9 prompt_tokens of another answer", "prompt_tokens is 2")
    assert found.also == (("x1", "prompt_tokens is 2"), ("x0", "prompt_tokens is 9"))


@pytest.mark.parametrize(
    "asked",
    [{"tools": [{}]}, {"response_format": {"type": "json_object"}}, {"reasoning_effort": "none"}, {"n": 2}],
)
def test_fields_that_may_be_part_of_the_prompt_make_it_a_different_prompt(asked: dict[str, object]) -> None:
    found = one_number_each(answer(0, 9), answer(1, 12, **asked), answer(2, 9))
    assert isinstance(found, Kept)
    assert {witness.exchange for witness in found.witnesses} == {"x0", "x2"}


def test_answers_without_usage_are_undecided() -> None:
    assert isinstance(one_number_each(answer(0, 9), answer(1, None), answer(2, 4, status=500)), Undecided)
