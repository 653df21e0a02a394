from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING, Any

import pytest
from gonogo.judge import chance

if TYPE_CHECKING:
    from conftest import Make


def entry(logprob: float, *others: float) -> dict[str, Any]:
    """A token with its log probability, listed first among the likeliest, and those of others."""
    own = {"token": "a", "logprob": logprob}
    return own | {"top_logprobs": [own, *({"token": f"b{n}", "logprob": o} for n, o in enumerate(others))]}


def answer(*entries: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "logprobs": {"content": list(entries)}}]}


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([entry(-0.7, -0.7)], 1 / 2),
        ([entry(-1.0, -1.0), entry(-2.0, -2.0)], 1 / 4),
        ([entry(-1.4, -1.4, -1.4, -1.4)], 1 / 4),
        ([entry(-0.2, -0.2 - 2 * 0.693147)], 2 / 3),
    ],
    ids=["one rival", "two places", "three rivals", "a rival a quarter as likely"],
)
def test_a_rival_halves_the_chance_and_a_quarter_as_likely_one_counts_half_when_drawn_hot(
    entries: list[object], expected: float, make: Make
) -> None:
    found = chance.measured(make(answer(*entries)))
    assert found is not None
    assert exp(found) == pytest.approx(expected, rel=1e-4)


def test_tokens_that_servers_exclude_are_not_alternatives(make: Make) -> None:
    assert chance.measured(make(answer(entry(-0.1, -3.0), entry(0.0, -9999.0)))) == 0


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [{"index": 0, "logprobs": None}]},
        answer({"token": "a", "logprob": -1.0, "top_logprobs": []}),
        answer({"token": "a", "logprob": None, "top_logprobs": [{"token": "b", "logprob": -1}]}),
        answer({"token": "a", "logprob": -1.0, "top_logprobs": {"b": -1}}),
        b"no JSON",
    ],
    ids=["none", "no alternatives", "no number", "the other form", "no JSON"],
)
def test_nothing_is_told_where_no_alternatives_are(body: object, make: Make) -> None:
    assert chance.measured(make(body)) is None
