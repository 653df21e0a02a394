"""The rules that repairs name, tested with the faults of the suite: broken before the repair, passed after it."""

from __future__ import annotations

import importlib
import json
import pkgutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gonogo_server.repair
import pytest
from gonogo.faults.editing import changed, each, has_usage
from gonogo.faults.kinds import KINDS
from gonogo.faults.picks import asked
from gonogo.faults.sections import FAULTS, SECTIONS
from server.repair.judged import FILE, broken, state, through

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from gonogo.evidence import Record
    from gonogo.faults.editing import Change
    from gonogo.rules import Catalogue

REPAIRS = ("answers", "body", "documents", "errors", "models", "reading", "stages.", "stream", "vectors")


def modules() -> Iterator[ModuleType]:
    """The modules of the general repairs that list their rules."""
    package = gonogo_server.repair
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        name = found.name.removeprefix(f"{package.__name__}.")
        if name.startswith(REPAIRS):
            module = importlib.import_module(found.name)
            if hasattr(module, "RULES"):
                yield module


def _everywhere(kind: str) -> Change:
    """A kind of fault, in every answer."""
    return lambda record: replace(record, exchanges=tuple(map(KINDS[kind]().edit, record.exchanges)))


NAMED = sorted({rule for module in modules() for rule in module.RULES})


def _beside_the_total(value: Any) -> None:  # noqa: ANN401 - JSON
    usage = value["usage"]
    usage["completion_tokens_details"] = {"reasoning_tokens": 310}
    usage["total_tokens"] += 310


COUNTED = '{"stream":true,"stream_options":{"include_usage":true}}'
MORE = {
    "text.same": _everywhere("cumulative-deltas"),
    "text.completions_same": _everywhere("cumulative-deltas"),
    "completions.stream.usage": _everywhere("usage-beside-choices"),
    "chat.stream.usage_details": changed(
        asked(f"POST /chat/completions {COUNTED}"), each(_beside_the_total, where=has_usage)
    ),
}
"""Breaches of rules that repairs fix, for rules without a suitable fault in the catalogue."""


def test_every_rule_that_a_repair_names_exists(catalogue: Catalogue) -> None:
    assert set(NAMED) <= {scenario.rule.id for scenario in catalogue}
    assert len(NAMED) > 100


@pytest.mark.parametrize("rule", NAMED)
def test_a_rule_that_a_repair_names_is_broken_before_it_and_kept_behind_it(
    rule: str, clean: Record, catalogue: Catalogue
) -> None:
    named = [
        fault.change for fault in sorted(FAULTS, key=lambda fault: len(fault.turns)) if rule in fault.turns
    ]
    for change in [*named, *([MORE[rule]] if rule in MORE else [])]:
        record = change(clean)
        assert broken(record, {rule}, catalogue) == {rule}
        if not broken(through(record), {rule}, catalogue):
            return
    pytest.fail(f"no fault that breaks {rule} is repaired")


def test_repaired_answers_of_a_conforming_server_break_no_rule(clean: Record, catalogue: Catalogue) -> None:
    every = {scenario.rule.id for scenario in catalogue}
    assert broken(through(clean), every, catalogue) == set()


STATES: dict[str, str] = json.loads(FILE.read_text("utf-8"))

OTHER_SURFACES = ("responses.", "messages.")  # their answers are passed on, or made from chat's

REPAIRABLE = [
    section
    for section in SECTIONS
    if not all(any(rule.startswith(OTHER_SURFACES) for rule in fault.turns) for fault in section.FAULTS)
]


@pytest.mark.parametrize(
    "section", REPAIRABLE, ids=[section.__name__.rpartition(".")[2] for section in REPAIRABLE]
)
def test_each_fault_has_its_recorded_outcome_after_the_repairs(
    section: ModuleType, clean: Record, catalogue: Catalogue
) -> None:
    """Faults that are newer than the file are ignored; tasks/measure_repairs.py writes it."""
    found = {fault.name: state(fault, clean, catalogue) for fault in section.FAULTS if fault.name in STATES}
    assert found == {name: STATES[name] for name in found}
    assert len(found) > len(section.FAULTS) / 2
