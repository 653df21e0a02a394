from __future__ import annotations

from gonogo.collect.plan import plan
from gonogo.rules import load
from gonogo.rules.catalogue import Scenario, parse_feature
from gonogo.stimuli.stimulus import Risk


def rule(name: str, *whens: str) -> Scenario:
    steps = "\n    And ".join(whens)
    text = f"    When {steps}\n    Then the answer's status is 200\n"
    head = f"Feature: f\n  @must @a.{name}\n  Scenario: {name}\n    Source: s\n    Why: w\n"
    return parse_feature(head + text, "a.feature")[0]


CHAT = "a chat completion is requested with {}"
WRONG = 'a chat completion is wrongly requested with {"n": 0}'


def keys(*scenarios: Scenario) -> list[str]:
    return [stimulus.key for stimulus in plan(scenarios).stimuli]


def test_rules_that_name_one_request_share_it() -> None:
    assert keys(rule("one", CHAT), rule("two", CHAT)) == ["POST /chat/completions {}"]


def test_plain_requests_are_sent_before_hostile_ones_so_that_life_can_be_seen() -> None:
    assert keys(rule("wrong", WRONG)) == [
        "POST /chat/completions {}",
        "POST /completions {}",
        "GET /models",
        'POST /chat/completions {"n":0}',
    ]


def test_a_plan_without_hostile_requests_asks_for_nothing_more() -> None:
    assert keys(rule("models", "the models are listed")) == ["GET /models"]


def test_hostile_requests_come_after_all_harmless_ones() -> None:
    stimuli = plan([rule("wrong", WRONG), rule("list", "the models are listed")]).stimuli
    assert [stimulus.risk for stimulus in stimuli] == [Risk.HARMLESS] * 3 + [Risk.HOSTILE]


def test_a_request_comes_after_the_one_that_it_repeats() -> None:
    assert keys(rule("twice", CHAT, "the same request is sent again")) == [
        "POST /chat/completions {}",
        "POST /chat/completions {} #2",
    ]


def test_the_cost_of_a_plan_is_known_before_it_starts() -> None:
    cost = plan(
        [rule("limit", 'a chat completion is requested with {"max_tokens": 2, "n": 3}'), rule("a", CHAT)]
    )
    assert (cost.requests, cost.tokens) == (2, 2 * 3 + 8)


def test_every_generation_of_the_catalogue_has_a_small_limit() -> None:
    whole = plan(load())
    assert max(stimulus.tokens for stimulus in whole.stimuli) <= 96
    assert {stimulus.key for stimulus in whole.stage(Risk.HOSTILE)} == {
        stimulus.key for stimulus in whole.stimuli if stimulus.risk is Risk.HOSTILE and not stimulus.alone
    }
