"""Each known deviation of servers is found by a rule, or is omitted for a stated reason.

The table is deviations.toml, which defines its terms.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gonogo.faults.catalogue.clients import broken_by
from gonogo.faults.sections import FAULTS
from gonogo.rules import load
from gonogo.verdict import Level

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TABLE: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("deviations.toml").read_text())
CERTAIN, UNCERTAIN = frozenset("DC"), frozenset("MT")
STATES: Mapping[str, frozenset[str]] = {
    "caught": CERTAIN | UNCERTAIN,
    "warned": UNCERTAIN,
    "excluded": UNCERTAIN,
    "open": CERTAIN,
}
"""The keys that an entry may have, and for which deviations."""
FOUND = {"caught", "warned"}
TURNS = {fault.name: fault.turns | broken_by(fault.name) for fault in FAULTS}
LEVELS = {scenario.rule.id: scenario.rule.level for scenario in load()}
SHORTEST = 40  # minimum characters of a reason


@dataclass(frozen=True, slots=True)
class Deviation:
    """One entry of the table."""

    id: str
    state: str
    rules: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    reason: str = ""


def entries(table: Mapping[str, Any]) -> tuple[Deviation, ...]:
    """The entries of a table. Raises TypeError for a key that no entry has."""
    return tuple(_entry(**entry) for entry in table["deviation"])


def _entry(
    *, rules: Sequence[str] = (), faults: Sequence[str] = (), reason: str = "", **names: str
) -> Deviation:
    return Deviation(**names, rules=tuple(rules), faults=tuple(faults), reason=reason)


def table_findings(table: Mapping[str, Any]) -> list[str]:
    """Errors of the table as a whole: missing, superfluous or duplicate entries, and unannounced open ones."""
    listed = Counter(name for ids in table["detection"].values() for name in ids)
    entered = Counter(entry.id for entry in entries(table))
    announced = Counter(table["open"]["ids"])
    still_open = {entry.id for entry in entries(table) if entry.state == "open"}
    return [
        *(f"{name}: listed {count} times under [detection]" for name, count in listed.items() if count > 1),
        *(f"{name}: {count} entries" for name, count in entered.items() if count > 1),
        *(f"{name}: no entry" for name in listed if name not in entered),
        *(f"{name}: not listed under [detection]" for name in entered if name not in listed),
        *(f"{name}: open, and not listed under [open]" for name in sorted(still_open - set(announced))),
        *(f"{name}: listed under [open], and not open" for name in announced if name not in still_open),
    ]


def entry_findings(entry: Deviation, kind: str) -> list[str]:
    """Errors of one entry; `kind` is the letter for how its deviation is observed."""
    if entry.state not in STATES or kind not in STATES[entry.state]:
        return [f"a deviation of the kind {kind} cannot be {entry.state!r}"]
    found = _mapping_findings(entry) if entry.state in FOUND else _absence_findings(entry)
    if len(entry.reason) < SHORTEST and not (entry.state in FOUND and kind in CERTAIN):
        found.append(f"no reason of {SHORTEST} characters or more")
    return found


def _absence_findings(entry: Deviation) -> list[str]:
    return [f"{entry.state}, and yet it names rules or faults"] if entry.rules or entry.faults else []


def _mapping_findings(entry: Deviation) -> list[str]:
    turned = {rule for name in entry.faults for rule in TURNS.get(name, ())}
    strict = entry.state == "warned"
    return [
        *(["it names no rule"] if not entry.rules else []),
        *(["it names no fault"] if not entry.faults else []),
        *(f"no rule is called {rule}" for rule in entry.rules if rule not in LEVELS),
        *(f"no fault is called {name!r}" for name in entry.faults if name not in TURNS),
        *(
            f"{name!r} turns {', '.join(sorted(TURNS[name]))}: none of the rules named"
            for name in entry.faults
            if name in TURNS and not TURNS[name] & set(entry.rules)
        ),
        *(f"no fault named turns {rule}" for rule in entry.rules if rule in LEVELS and rule not in turned),
        *(f"{rule} fails, and does not warn" for rule in entry.rules if strict and _fails(rule)),
    ]


def _fails(rule: str) -> bool:
    return LEVELS.get(rule) is Level.MUST


KINDS = {name: kind for kind, ids in TABLE["detection"].items() for name in ids}
ENTRIES = entries(TABLE)


def test_every_deviation_has_exactly_one_entry_and_those_that_are_open_are_announced() -> None:
    assert table_findings(TABLE) == []
    assert set(TABLE["detection"]) == CERTAIN | UNCERTAIN


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.id for entry in ENTRIES])
def test_a_deviation_is_found_by_rules_that_its_faults_turn_or_left_out_for_a_reason(
    entry: Deviation,
) -> None:
    assert entry_findings(entry, KINDS[entry.id]) == []
    if entry.state == "open":
        pytest.xfail(f"open: {entry.reason}")


GOOD = Deviation("x", "caught", ("chat.stream.done",), ("chat streams without [DONE]",))
LONG = "a reason that is long enough to be one, or so it seems"


def test_an_entry_without_faults_of_its_own_has_no_findings() -> None:
    assert entry_findings(GOOD, "D") == []


@pytest.mark.parametrize(
    ("entry", "kind", "finding"),
    [
        (Deviation("x", "caught"), "D", "it names no rule"),
        (Deviation("x", "caught", GOOD.rules), "D", "it names no fault"),
        (Deviation("x", "caught", ("chat.x",), GOOD.faults), "D", "no rule is called chat.x"),
        (Deviation("x", "caught", GOOD.rules, ("x",)), "D", "no fault is called 'x'"),
        (
            Deviation("x", "caught", ("chat.stream.id",), GOOD.faults),
            "D",
            "'chat streams without [DONE]' turns chat.stream.done: none of the rules named",
        ),
        (
            Deviation("x", "caught", (*GOOD.rules, "chat.stream.id"), GOOD.faults),
            "D",
            "no fault named turns chat.stream.id",
        ),
        (GOOD, "M", "no reason of 40 characters or more"),
        (
            Deviation("x", "warned", GOOD.rules, GOOD.faults, LONG),
            "T",
            "chat.stream.done fails, and does not warn",
        ),
        (
            Deviation("x", "warned", GOOD.rules, GOOD.faults),
            "D",
            "a deviation of the kind D cannot be 'warned'",
        ),
        (Deviation("x", "excluded", reason=LONG), "C", "a deviation of the kind C cannot be 'excluded'"),
        (Deviation("x", "open", reason=LONG), "M", "a deviation of the kind M cannot be 'open'"),
        (Deviation("x", "ignored", reason=LONG), "D", "a deviation of the kind D cannot be 'ignored'"),
        (
            Deviation("x", "excluded", GOOD.rules, reason=LONG),
            "M",
            "excluded, and yet it names rules or faults",
        ),
        (Deviation("x", "excluded", reason="too hard"), "M", "no reason of 40 characters or more"),
        (Deviation("x", "open"), "D", "no reason of 40 characters or more"),
    ],
)
def test_a_wrong_entry_is_detected(entry: Deviation, kind: str, finding: str) -> None:
    assert finding in entry_findings(entry, kind)


@pytest.mark.parametrize(
    ("listed", "entered", "announced", "findings"),
    [
        (["a"], ["a"], [], []),
        (["a"], [], [], ["a: no entry"]),
        ([], ["a"], [], ["a: not listed under [detection]"]),
        (["a"], ["a", "a"], [], ["a: 2 entries"]),
        (["a", "a"], ["a"], [], ["a: listed 2 times under [detection]"]),
        (["open"], ["open"], [], ["open: open, and not listed under [open]"]),
        (["a"], ["a"], ["a"], ["a: listed under [open], and not open"]),
    ],
)
def test_a_wrong_table_is_detected(
    listed: list[str], entered: list[str], announced: list[str], findings: list[str]
) -> None:
    table = {
        "detection": {"D": listed},
        "open": {"ids": announced},
        "deviation": [{"id": name, "state": "open" if name == "open" else "caught"} for name in entered],
    }
    assert table_findings(table) == findings
