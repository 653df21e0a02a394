"""Rule sets: what a run judges with a given set."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from gonogo.errors import FeatureError, UsageError
from gonogo.rules import Catalogue, sets
from gonogo.rules.catalogue import parse_feature
from gonogo.rules.compiled import _plain, _written
from gonogo.rules.sets import RuleSets
from gonogo.rules.written import read_feature
from gonogo.running import Selection
from gonogo.verdict import FIRST_SET

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Run = Callable[..., Result]

NEXT, LATER = "2027-03", "2027-09"


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """The existing sets and two more."""
    monkeypatch.setattr(sets, "SETS", RuleSets((FIRST_SET, NEXT, LATER)))


def written(name: str, *notes: str) -> str:
    lines = "".join(f"    {note}\n" for note in notes)
    return f"""
  @must @chat.{name}
  Scenario: Rule {name}
    Source: guide.
    Why: clients.
{lines}    When the models are listed
    Then the answer is one JSON object
"""


RULES = {
    "old": (),
    "new": (f"Since: {NEXT}",),
    "gone": (f"Until: {FIRST_SET}",),
    "between": (f"Since: {NEXT}", f"Until: {NEXT}"),
}


def catalogue() -> Catalogue:
    text = "Feature: Sets\n" + "".join(written(name, *notes) for name, notes in RULES.items())
    return Catalogue(parse_feature(text, "x.feature"))


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("rule_set", "names"),
    [
        (FIRST_SET, ["old", "gone"]),
        (NEXT, ["old", "new", "between"]),
        (LATER, ["old", "new"]),
        (None, ["old", "new"]),
    ],
)
def test_a_run_judges_the_rules_that_its_set_has(rule_set: str | None, names: list[str]) -> None:
    chosen = Selection(rule_set=rule_set).scenarios(catalogue())
    assert [scenario.rule.id for scenario in chosen] == [f"chat.{name}" for name in names]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("name", "rule_set", "when"), [("new", FIRST_SET, f"since {NEXT}"), ("gone", None, f"until {FIRST_SET}")]
)
def test_a_rule_that_is_asked_for_and_not_in_the_set_is_one_sentence(
    name: str, rule_set: str | None, when: str
) -> None:
    sentence = f'"chat.{name}" matches no rule of the set {rule_set or LATER}: it exists {when}.'
    with pytest.raises(UsageError) as raised:
        Selection(only=(f"chat.{name}", "chat.old"), rule_set=rule_set).scenarios(catalogue())
    assert str(raised.value) == sentence


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("notes", "sentence"),
    [
        (["Since: 2026-13"], '"Since:" must be a rule set, one of 2026-12, 2027-03, 2027-09'),
        (["Until: never"], '"Until:" must be a rule set, one of'),
        (["Since: 2027-09", "Until: 2026-12"], 'the rule set in "Until:" is older than the one in "Since:"'),
    ],
)
def test_a_rule_of_a_set_that_there_is_not_is_malformed(notes: list[str], sentence: str) -> None:
    with pytest.raises(FeatureError, match=rf"^x\.feature:\d+: {sentence}"):
        parse_feature("Feature: Sets\n" + written("a", *notes), "x.feature")


@pytest.mark.usefixtures("three")
def test_the_sets_of_a_rule_are_compiled_and_said_only_where_they_are_not_the_usual() -> None:
    text = "Feature: Sets\n" + written("a", f"Since: {NEXT}", f"Until: {LATER}") + written("b")
    entries = read_feature(text, "x.feature")
    first, second = map(_plain, entries)

    assert (first["since"], first["until"]) == (NEXT, LATER)
    assert {"since", "until"}.isdisjoint(second)
    assert [_written(json.loads(json.dumps(entry))) for entry in (first, second)] == entries


class TestTheOption:
    def test_that_names_a_set_says_in_every_report_which_it_was(
        self, gonogo: Run, clean_evidence: Path, tmp_path: Path
    ) -> None:
        report = tmp_path / "r.json"
        named = gonogo("judge", clean_evidence, "--only", "models", "--rules", FIRST_SET, "--json", report)
        default = gonogo("judge", clean_evidence, "--only", "models")
        document = json.loads(report.read_bytes())

        assert (named.exit_code, named.stdout) == (0, default.stdout)
        assert f", rules {sets.SETS.newest}  http" in default.stdout.splitlines()[0]
        assert document["rule_set"] == FIRST_SET
        assert {rule["since"] for rule in document["rules"]} == {FIRST_SET}

    @pytest.mark.parametrize("command", ["check", "judge"])
    def test_that_names_none_is_one_sentence_with_those_there_are(
        self, gonogo: Run, clean_evidence: Path, command: str
    ) -> None:
        result = gonogo(command, clean_evidence, "--rules", "2025-01")
        assert (result.exit_code, result.stdout) == (2, "")
        assert (
            result.stderr
            == '--rules "2025-01" is not a rule set of this gonogo; the only rule set is 2026-12.\n'
        )

    @pytest.mark.usefixtures("three")
    def test_with_several_sets_they_are_all_named(self) -> None:
        with pytest.raises(UsageError, match=r"; the rule sets are 2026-12, 2027-03, 2027-09\.$"):
            sets.SETS.named("2027-01")

    def test_is_told_by_explain(self, gonogo: Run) -> None:
        assert "\n  since:  rule set 2026-12\n" in gonogo("explain", "models.list.json").stdout
