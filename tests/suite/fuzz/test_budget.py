"""The number of generated requests, and their cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gonogo.fuzz import Budget
from gonogo.reasons import Reason
from gonogo.stimuli.fuzzed import was_fuzzed
from gonogo.verdict import Because, Verdict
from suite.fuzz.passes import RULES, beyond_bmp

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange
    from suite.fuzz.passes import Pass

    Over = Callable[..., Pass]


def test_the_budget_limits_cases(over: Over) -> None:
    found = over(beyond_bmp, Budget(cases=50))

    assert 0 < len(found.cases) <= 50


def test_the_budget_limits_tokens(over: Over) -> None:
    found = over(budget=Budget(cases=400, tokens=300))
    generated = [x for x in found.record.exchanges if x.stimulus.startswith(("fuzz ", "alive "))]

    assert found.cases
    assert sum(_generated(exchange) for exchange in generated) <= 300


def _generated(exchange: Exchange) -> int:
    try:
        return int(json.loads(exchange.body)["usage"].get("completion_tokens", 0))
    except (ValueError, KeyError):
        return 0


def test_a_budget_too_small_for_a_single_case_is_reported(over: Over) -> None:
    found = over(budget=Budget(tokens=1))

    assert not found.cases
    assert was_fuzzed(found.record)
    assert list(found.record.unsent.values()) == [Because(Reason.BUDGET_USED_UP)]
    assert found.turned == dict.fromkeys(RULES, Verdict.INCONCLUSIVE)
    assert {judgement.because.reason for judgement in found.judgements.values()} == {Reason.TOO_FEW_CASES}
