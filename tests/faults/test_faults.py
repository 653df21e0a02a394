"""Every rule finds something, and every fault is found by the rules that it names and by no others."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pytest
from faults.fault import BROKEN, turned, verdicts
from gonogo.faults.catalogue.clients import BROKEN_BY, broken_by
from gonogo.faults.sections import FAULTS
from gonogo.judge import explain
from gonogo.report.wording import message
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.fault import Rejudge
    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.faults.fault import Fault
    from gonogo.rules import Catalogue
    from gonogo.verdict import Cause, Judgement

AN_ID = re.compile(r"\bx\d+\b")


@dataclass(eq=False)
class Seen:
    """A fault, the record that it makes, and, once a test needs them, the judgements."""

    fault: Fault
    record: Record
    rejudge: Rejudge

    @cached_property
    def looked_at(self) -> dict[str, list[Exchange]]:
        """The exchanges that each rule reads."""
        return self.rejudge.subjects(self.record)

    @cached_property
    def found(self) -> dict[str, Judgement]:
        return self.rejudge(self.record, self.looked_at)

    @cached_property
    def explained(self) -> tuple[list[Judgement], tuple[Cause, ...]]:
        """The judgements with their causes."""
        return explain(tuple(self.found.values()), self.record)


@pytest.fixture(scope="module", params=FAULTS, ids=[fault.name for fault in FAULTS])
def seen(request: pytest.FixtureRequest, rejudge: Rejudge) -> Seen:
    """Judged once for all the tests of a fault, which therefore run one after the other."""
    fault: Fault = request.param
    return Seen(fault, fault.change(rejudge.clean), rejudge)


def test_a_server_that_keeps_the_contract_passes_every_rule(rejudge: Rejudge, catalogue: Catalogue) -> None:
    found = rejudge.judgements
    others = {one.rule.id: message(one) for one in found.values() if one.verdict is not Verdict.PASS}
    assert others == {}
    assert list(found) == [scenario.rule.id for scenario in catalogue]


def test_a_fault_turns_the_rules_it_names_and_no_others(seen: Seen) -> None:
    expected = seen.fault.turns | broken_by(seen.fault.name)
    assert turned(seen.found) == expected
    assert {one.rule.id: message(one) for one in seen.found.values() if one.verdict is Verdict.ERROR} == {}
    assert all(_is_told_whole(seen.found[rule_id], seen.record) for rule_id in expected)


def _is_told_whole(judgement: Judgement, record: Record) -> bool:
    """Whether the judgement has expected and actual values, and names one of the recorded exchanges."""
    recorded = {exchange.id for exchange in record.exchanges}
    shown = {evidence.exchange for evidence in judgement.evidence}
    return bool(judgement.expected and judgement.actual and shown and shown <= recorded)


def test_a_rule_that_a_fault_leaves_kept_has_a_witness_among_the_exchanges_it_looks_at(seen: Seen) -> None:
    recorded = {exchange.id for exchange in seen.record.exchanges}
    for rule_id, judgement in seen.found.items():
        if judgement.verdict is Verdict.PASS:
            looked_at = {exchange.id for exchange in seen.looked_at[rule_id]}
            witnesses = {witness.exchange for witness in judgement.witnesses}
            assert witnesses, rule_id
            assert witnesses <= looked_at & recorded, rule_id
            assert all(witness.count > 0 for witness in judgement.witnesses), rule_id
        else:
            assert not judgement.witnesses, rule_id


def test_a_rule_that_a_fault_leaves_open_says_why_of_exchanges_it_looks_at(seen: Seen) -> None:
    for rule_id, judgement in seen.found.items():
        if judgement.verdict in {Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE}:
            assert judgement.because is not None, rule_id
            assert set(judgement.because.about) <= {e.id for e in seen.looked_at[rule_id]}, rule_id


def test_every_finding_of_a_fault_has_one_cause(seen: Seen) -> None:
    judgements, causes = seen.explained
    broken = {one.rule.id: one.cause for one in judgements if one.verdict in BROKEN}
    assert broken == {rule_id: cause.id for cause in causes for rule_id in cause.rules}
    assert sum(len(cause.rules) for cause in causes) == len(broken)
    assert len({cause.id for cause in causes}) == len(causes)
    assert all(cause.seen and cause.breaks and cause.evidence for cause in causes)


def test_no_value_of_a_judgement_names_an_exchange(seen: Seen) -> None:
    """Reports name exchanges in separate fields; an id in a text comes from the target or from our error."""
    named = {name for text in _texts(seen) for name in AN_ID.findall(text)}
    recorded = {exchange.id for exchange in seen.record.exchanges} & named
    assert recorded - _said(seen.record, recorded) == set()


def _texts(seen: Seen) -> Iterator[str]:
    judgements, causes = seen.explained
    for judgement in judgements:
        yield from (text for text in (judgement.expected, judgement.actual) if text is not None)
        yield from (piece.actual for piece in judgement.evidence if piece.actual is not None)
        if judgement.because is not None:
            yield from map(str, judgement.because.values.values())
    yield from (cause.seen for cause in causes)


def _said(record: Record, names: set[str]) -> set[str]:
    """Those of the words that a request or an answer contains itself."""
    if not names:
        return set()
    words = [e.request.body + e.body + repr(e.headers).encode() for e in record.exchanges]
    return {name for name in names if any(re.search(rb"\b%s\b" % name.encode(), data) for data in words)}


@pytest.mark.parametrize("fault", FAULTS[::90], ids=[fault.name for fault in FAULTS[::90]])
def test_partial_judging_equals_judging_the_whole_record(fault: Fault, rejudge: Rejudge) -> None:
    record = fault.change(rejudge.clean)
    assert rejudge(record) == verdicts(record, rejudge.catalogue)


def test_every_rule_is_turned_by_a_fault(catalogue: Catalogue) -> None:
    caught = {rule_id for fault in FAULTS for rule_id in fault.turns} | set(BROKEN_BY)
    assert sorted({scenario.rule.id for scenario in catalogue} - caught) == []
    assert sorted(caught - {scenario.rule.id for scenario in catalogue}) == []


def test_no_two_faults_have_one_name() -> None:
    assert [name for name, count in Counter(fault.name for fault in FAULTS).items() if count > 1] == []


def test_every_fault_listed_for_clients_exists() -> None:
    named = {name for names in BROKEN_BY.values() for name in names}
    assert sorted(named - {fault.name for fault in FAULTS}) == []
