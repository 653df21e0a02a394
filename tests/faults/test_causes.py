"""One cause, one finding, called by its name."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from faults.faulty import FaultyTarget
from gonogo.faults.kinds import KINDS
from gonogo.judge import explain, judge
from gonogo.judge.causes.diagnoses import DIAGNOSES
from gonogo.verdict import Verdict
from ideal.running import record_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faults.fault import Rejudge
    from gonogo.evidence import Record
    from gonogo.faults.kinds import Faulty
    from gonogo.rules import Catalogue
    from gonogo.verdict import Cause, Judgement

UNLISTED = frozenset({"empty-answers"})
"""Servers that list no model, so that one has to be named."""


def _run(server: Faulty, rejudge: Rejudge, named: str | None = None) -> tuple[Record, list[Judgement]]:
    run = record_run(rejudge.catalogue, FaultyTarget(server), model=named, embedding_model=named)
    return rejudge.run(asyncio.run(run))


def _explained(name: str, rejudge: Rejudge) -> tuple[Record, list[Judgement], tuple[Cause, ...]]:
    record, judged = _run(KINDS[name](), rejudge, "some-model" if name in UNLISTED else None)
    judgements, causes = explain(judged, record)
    return record, judgements, causes


@pytest.mark.parametrize("name", KINDS)
def test_a_known_kind_of_fault_is_one_cause_and_has_its_name(name: str, rejudge: Rejudge) -> None:
    record, judgements, causes = _explained(name, rejudge)
    assert [cause.id for cause in causes] == [name]
    (cause,) = causes
    broken = {j.rule.id for j in judgements if j.verdict in {Verdict.FAIL, Verdict.WARN}}
    assert set(cause.rules) == broken
    assert all(j.cause == name for j in judgements if j.rule.id in broken)
    assert cause.seen
    assert cause.breaks
    assert cause.evidence is not None
    assert cause.evidence.exchange in {exchange.id for exchange in record.exchanges}


@pytest.mark.parametrize("name", list(KINDS)[::20])
def test_what_a_run_shares_with_the_clean_one_is_judged_as_in_the_whole(name: str, rejudge: Rejudge) -> None:
    record, judgements = _run(KINDS[name](), rejudge, "some-model" if name in UNLISTED else None)
    assert judgements == judge(record, tuple(rejudge.catalogue), rejudge.catalogue)


def test_every_known_kind_of_fault_is_played_by_a_server() -> None:
    assert sorted(diagnosis.id for diagnosis in DIAGNOSES) == sorted(KINDS)
    assert len(KINDS) >= 25


def test_no_two_kinds_of_fault_have_one_title() -> None:
    titles = [diagnosis.title for diagnosis in DIAGNOSES]
    assert len(set(titles)) == len(titles)


def test_a_server_that_keeps_the_contract_has_no_cause(clean: Record, catalogue: Catalogue) -> None:
    judgements = judge(clean, tuple(catalogue), catalogue)
    assert explain(judgements, clean) == (judgements, ())


def test_a_rule_that_a_cause_leaves_open_is_not_applicable_and_names_it(rejudge: Rejudge) -> None:
    _, judgements, (cause,) = _explained("tool-choice-ignored", rejudge)
    open_rules = [j for j in judgements if j.rule.id in cause.undecided]
    assert {"tools.call.id", "tools.stream.name"} <= {j.rule.id for j in open_rules}
    assert all((j.verdict, j.cause) == (Verdict.NOT_APPLICABLE, cause.id) for j in open_rules)


def test_two_independent_faults_are_two_causes(rejudge: Rejudge) -> None:
    first, second = KINDS["role-in-every-delta"](), KINDS["param-missing"]()
    server = KINDS["role-in-every-delta"]()
    server.edit = lambda exchange: second.edit(first.edit(exchange))
    record, judgements = _run(server, rejudge)
    _, causes = explain(judgements, record)
    assert _ids(causes) == {"role-in-every-delta", "param-missing"}


def test_a_cause_never_breaks_a_rule_or_mends_one(rejudge: Rejudge) -> None:
    record, before = _run(KINDS["cumulative-deltas"](), rejudge)
    after, _ = explain(before, record)
    decided = {Verdict.PASS, Verdict.FAIL, Verdict.WARN, Verdict.UNSUPPORTED}
    assert [j.verdict for j in before if j.verdict in decided] == [
        j.verdict for j in after if j.verdict in decided
    ]


def _ids(causes: Sequence[Cause]) -> set[str]:
    return {cause.id for cause in causes}
