"""Which faults break openai-node and the AI SDK; conforming behaviour breaks neither.

Node reads every changed answer, so only some changes are tested here: all that break a client, and a sample of the
others.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from faults.fault import Rejudge, turned
from faults.harmless.every import HARMLESS
from gonogo.clients.node_readers import fitting_node
from gonogo.clients.nodejs import PACKAGES, NodeLane, find
from gonogo.clients.replaying import remember
from gonogo.faults.catalogue.clients import broken_by
from gonogo.faults.catalogue.clients_node import BROKEN_BY_NODE
from gonogo.faults.sections import FAULTS
from gonogo.judge import explain
from gonogo.report.wording import message
from gonogo.rules import load
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.faults.fault import Fault
    from gonogo.verdict import Judgement

INSTALLED = Path(__file__).parents[1] / "clients" / "node"
needs_packages = pytest.mark.skipif(
    not all((INSTALLED / "node_modules" / name).exists() for name in PACKAGES),
    reason="the clients for Node are not installed: uv run npm ci --prefix tests/clients/node",
)
EVERY = 16
RULES = tuple(s for s in load(node=True) if s.rule.id not in load().ids)
BREAKING = [fault for fault in FAULTS if broken_by(fault.name, BROKEN_BY_NODE)]
OTHERS = [fault for fault in FAULTS if not broken_by(fault.name, BROKEN_BY_NODE)][::EVERY]
THROWS_AT = ("reasoning under the other name of its events",)  # openai-node does, whatever server sends it
SOME_HARMLESS = [*HARMLESS[::EVERY], *(one for one in HARMLESS if one[0] in THROWS_AT)]


@pytest.fixture(scope="module")
def judged(clean: Record) -> dict[str, dict[str, Judgement]]:
    """The judgements of the clean run (""), and of each change by name: all answers are read in one process."""
    records = {"": clean} | {fault.name: fault.change(clean) for fault in (*BREAKING, *OTHERS)}
    records |= {name: change(clean) for name, change in SOME_HARMLESS}
    _have_read({e for record in records.values() for e in record.exchanges if fitting_node(e)})
    rejudge = Rejudge(clean, load(node=True), RULES)
    return {name: rejudge(record) for name, record in records.items()}


def _have_read(exchanges: Iterable[Exchange]) -> None:
    """Let Node read exchanges, several of which may have the same id."""
    numbered = {f"x{number}": exchange for number, exchange in enumerate(exchanges)}
    with NodeLane(find(INSTALLED)) as lane:
        for name, exchange in numbered.items():
            lane.submit(replace(exchange, id=name))
        for (reader, name), outcome in lane.results().items():
            remember(numbered[name], reader, outcome)


@needs_packages
def test_a_server_that_keeps_the_contract_passes_every_rule(judged: dict[str, dict[str, Judgement]]) -> None:
    found = judged[""]
    assert {name: message(one) for name, one in found.items() if one.verdict is not Verdict.PASS} == {}
    assert set(found) == set(BROKEN_BY_NODE)


@needs_packages
@pytest.mark.parametrize("name", [fault.name for fault in (*BREAKING, *OTHERS)])
def test_a_fault_breaks_exactly_its_listed_clients(
    judged: dict[str, dict[str, Judgement]], name: str
) -> None:
    found, breaks = judged[name], broken_by(name, BROKEN_BY_NODE)
    assert turned(found) == breaks
    assert {n: message(one) for n, one in found.items() if one.verdict is Verdict.ERROR} == {}
    assert all(found[rule].expected and found[rule].actual and found[rule].evidence for rule in breaks)


@needs_packages
@pytest.mark.parametrize("name", [name for name, _ in SOME_HARMLESS])
def test_answers_that_keep_the_contract_break_no_client(
    judged: dict[str, dict[str, Judgement]], name: str
) -> None:
    found = judged[name]
    assert {rule_id: found[rule_id].actual for rule_id in turned(found)} == {}


@needs_packages
@pytest.mark.parametrize("fault", BREAKING[::4], ids=[fault.name for fault in BREAKING[::4]])
def test_a_client_that_breaks_adds_no_cause_to_that_of_the_broken_rule(
    judged: dict[str, dict[str, Judgement]], rejudge: Rejudge, fault: Fault
) -> None:
    record = fault.change(rejudge.clean)
    others = tuple(rejudge(record).values())
    _, without = explain(others, record)
    _, causes = explain((*others, *judged[fault.name].values()), record)
    assert len(causes) == max(len(without), 1)


def test_every_fault_listed_for_clients_exists() -> None:
    named = {name for names in BROKEN_BY_NODE.values() for name in names}
    assert sorted(named - {fault.name for fault in FAULTS}) == []
    assert all(BROKEN_BY_NODE.values())
