"""The live table: which rules have all their exchanges."""

from __future__ import annotations

from collections import Counter

from gonogo.cli.progress import Sections
from gonogo.collect.plan import plan
from gonogo.rules import load


def test_every_rule_is_counted_once_by_the_time_that_the_plan_is_done_with() -> None:
    sections = Sections(load())
    ready: Counter[str] = Counter()
    for stimulus in plan(load()).stimuli:
        ready += sections.done(stimulus.key)

    assert ready == sections.totals
    assert ready["tools"] == sum(scenario.rule.id.startswith("tools.") for scenario in load())


def test_a_stimulus_of_no_rule_and_one_that_is_told_again_count_for_none() -> None:
    sections = Sections(load().select(["models.list"]))
    first = plan(load().select(["models.list"])).stimuli[0]

    assert sections.done(first.key)
    assert not sections.done(first.key)
    assert not sections.done("alive after something")
