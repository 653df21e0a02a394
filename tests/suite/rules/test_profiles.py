"""Profiles: which rules belong to one, and when a target meets it."""

from __future__ import annotations

import pytest
from gonogo.errors import UsageError
from gonogo.report.model import Gate
from gonogo.report.profile_results import profile_result
from gonogo.rules import Profile, lies_under, load, profiles
from gonogo.rules.profiles import named
from gonogo.running import Selection
from gonogo.verdict import Verdict

TOOLS = Profile("tools", "tools", ("tools", "stream"), ("tools.strict",), ("tools.call", "tools.stream"))
KNOWN = ("tools.call.id", "tools.call.name", "tools.stream.id", "tools.strict", "stream.json", "chat.shape")
ALL = dict.fromkeys(KNOWN, Verdict.PASS)


@pytest.mark.parametrize("profile", profiles(), ids=lambda profile: profile.name)
def test_every_id_of_a_profile_names_rules_and_what_it_requires_belongs_to_it(profile: Profile) -> None:
    ids = load(fuzz=True, node=True).ids

    for selector in (*profile.rules, *profile.without):
        assert any(lies_under(rule_id, selector) for rule_id in ids), selector
    for surface in profile.requires:
        assert any(lies_under(rule_id, surface) and profile.covers(rule_id) for rule_id in ids), surface
    assert all(any(lies_under(without, rule) for rule in profile.rules) for without in profile.without)


def test_a_profile_selects_its_rules_and_several_those_of_each() -> None:
    embedding = {scenario.rule.id for scenario in Selection(profiles=("embedding",)).scenarios(load())}
    both = {scenario.rule.id for scenario in Selection(profiles=("embedding", "core")).scenarios(load())}

    assert embedding == {rule_id for rule_id in load().ids if lies_under(rule_id, "embeddings")}
    assert embedding < both
    assert "chat.stream.done" in both
    assert "tools.call.id" not in both


def test_an_unknown_profile_and_a_profile_with_only_are_refused() -> None:
    with pytest.raises(UsageError, match="the profiles are core, agent, completion, embedding, codex"):
        named(["robot"])
    with pytest.raises(UsageError, match="remove one of them"):
        Selection(only=("chat",), profiles=("core",)).scenarios(load())


def test_a_target_that_passes_all_holds_a_profile() -> None:
    held = profile_result(TOOLS, ALL, KNOWN)

    assert held.gate is Gate.GO
    assert (held.judged, held.passed, held.left_out) == (4, 4, 0)


@pytest.mark.parametrize("verdict", [Verdict.WARN, Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE, Verdict.WAIVED])
def test_nothing_but_a_failure_outside_what_is_required_breaks_a_profile(verdict: Verdict) -> None:
    assert profile_result(TOOLS, ALL | {"stream.json": verdict}, KNOWN).gate is Gate.GO


def test_rules_outside_a_profile_do_not_touch_it() -> None:
    others = {"chat.shape": Verdict.FAIL, "tools.strict": Verdict.FAIL}

    assert profile_result(TOOLS, ALL | others, KNOWN).gate is Gate.GO


def test_a_broken_rule_and_a_refused_surface_break_a_profile_and_are_named() -> None:
    broken = profile_result(TOOLS, ALL | {"stream.json": Verdict.FAIL}, KNOWN)
    refused = profile_result(TOOLS, ALL | {"tools.call.id": Verdict.UNSUPPORTED}, KNOWN)

    assert (broken.gate, broken.failed) == (Gate.NO_GO, ("stream.json",))
    assert refused.gate is Gate.NO_GO
    assert [(lack.surface, lack.rules) for lack in refused.unsupported] == [
        ("tools.call", ("tools.call.id",))
    ]


def test_a_surface_that_no_rule_decided_and_rules_that_were_left_out_leave_a_profile_open() -> None:
    undecided = profile_result(TOOLS, ALL | {"tools.stream.id": Verdict.INCONCLUSIVE}, KNOWN)
    part = profile_result(TOOLS, {"tools.call.id": Verdict.PASS}, KNOWN)

    assert (undecided.gate, undecided.undecided) == (Gate.NOT_JUDGED, ("tools.stream",))
    assert (part.gate, part.left_out) == (Gate.NOT_JUDGED, 3)
