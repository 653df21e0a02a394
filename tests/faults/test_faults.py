"""Every rule catches something, and every fault is caught by the rules it names and by no others."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from faults.catalogue.clients import BROKEN_BY, broken_by
from faults.fault import turned, verdicts
from faults.sections import FAULTS
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from faults.fault import Fault
    from gonogo.evidence import Record
    from gonogo.rules import Catalogue
    from gonogo.verdict import Judgement


def test_a_server_that_keeps_the_contract_passes_every_rule(clean: Record, catalogue: Catalogue) -> None:
    found = {rule_id: judgement.verdict for rule_id, judgement in verdicts(clean, catalogue).items()}
    assert {rule_id: verdict for rule_id, verdict in found.items() if verdict is not Verdict.PASS} == {}
    assert len(found) == len(catalogue)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_fault_turns_the_rules_it_names_and_no_others(
    fault: Fault, clean: Record, catalogue: Catalogue
) -> None:
    record = fault.change(clean)
    found = verdicts(record, catalogue)
    expected = fault.turns | broken_by(fault.name)
    assert turned(found) == expected
    assert {rule_id for rule_id, judgement in found.items() if judgement.verdict is Verdict.ERROR} == set()
    assert all(_is_told_whole(found[rule_id], record) for rule_id in expected)


def _is_told_whole(judgement: Judgement, record: Record) -> bool:
    """Whether it says what was expected, what was there, and in which of the recorded exchanges."""
    recorded = {exchange.id for exchange in record.exchanges}
    shown = {evidence.exchange for evidence in judgement.evidence}
    return bool(judgement.expected and judgement.actual and shown and shown <= recorded)


def test_every_rule_is_turned_by_a_fault(catalogue: Catalogue) -> None:
    caught = {rule_id for fault in FAULTS for rule_id in fault.turns} | set(BROKEN_BY)
    assert sorted({scenario.rule.id for scenario in catalogue} - caught) == []
    assert sorted(caught - {scenario.rule.id for scenario in catalogue}) == []


def test_no_two_faults_have_one_name() -> None:
    assert [name for name, count in Counter(fault.name for fault in FAULTS).items() if count > 1] == []


def test_every_fault_that_is_said_to_break_a_client_is_one() -> None:
    named = {name for names in BROKEN_BY.values() for name in names}
    assert sorted(named - {fault.name for fault in FAULTS}) == []
