"""Each known deviation on a surface other than chat is found by a rule, or is omitted for a stated reason.

The table is surface_deviations.toml, which defines its terms.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gonogo.faults.sections import FAULTS
from gonogo.rules import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TABLE: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("surface_deviations.toml").read_text())
ENTRIES: list[dict[str, Any]] = TABLE["deviation"]
TURNS = {fault.name: fault.turns for fault in FAULTS}
RULES = frozenset(load().ids)
SHORTEST = 40  # minimum characters of a reason


def findings(entry: Mapping[str, Any]) -> Iterator[str]:
    """The errors of an entry."""
    rules, faults, reason = entry.get("rules", []), entry.get("faults", []), entry.get("reason", "")
    if not rules and not faults:
        if len(reason) < SHORTEST:
            yield f"no reason of {SHORTEST} characters or more"
        return
    turned = {rule for name in faults for rule in TURNS.get(name, ())}
    yield from (f"no rule is called {rule}" for rule in rules if rule not in RULES)
    yield from (f"no fault is called {name!r}" for name in faults if name not in TURNS)
    yield from (f"no fault named turns {rule}" for rule in rules if rule in RULES and rule not in turned)
    yield from (
        f"{name!r} turns none of the rules named"
        for name in faults
        if name in TURNS and not TURNS[name] & set(rules)
    )


def test_every_deviation_that_is_listed_has_one_entry() -> None:
    listed = [f"{surface}-{number}" for surface, numbers in TABLE["listed"].items() for number in numbers]
    assert [entry["id"] for entry in ENTRIES] == listed


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry["id"] for entry in ENTRIES])
def test_a_deviation_is_found_by_rules_that_its_faults_turn_or_left_out_for_a_reason(
    entry: Mapping[str, Any],
) -> None:
    assert entry["what"]
    assert list(findings(entry)) == []


CAUGHT = {"rules": ["responses.stream.ended"], "faults": ["streams that end without saying so"]}


@pytest.mark.parametrize(
    ("entry", "finding"),
    [
        ({"reason": "too hard"}, "no reason of 40 characters or more"),
        (CAUGHT | {"rules": ["responses.x"]}, "no rule is called responses.x"),
        (CAUGHT | {"faults": ["x"]}, "no fault is called 'x'"),
        (CAUGHT | {"rules": ["responses.stream.type"]}, "no fault named turns responses.stream.type"),
        (
            CAUGHT | {"rules": ["responses.stream.type"]},
            "'streams that end without saying so' turns none of the rules named",
        ),
    ],
)
def test_a_wrong_entry_of_a_surface_is_detected(entry: Mapping[str, Any], finding: str) -> None:
    assert finding in list(findings(entry))
