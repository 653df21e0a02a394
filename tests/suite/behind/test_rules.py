"""The rules about gateways: a correct gateway passes, each rule finds its fault, and none has false alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faults.fault import turned, verdicts
from gonogo import evidence
from gonogo.faults.editing import changed, status, unrecorded
from gonogo.faults.picks import holding
from gonogo.reasons import Reason
from gonogo.redaction import REDACTED
from gonogo.report.wording import message
from gonogo.rules import Catalogue, load
from gonogo.stimuli import plays
from gonogo.verdict import Verdict
from suite.behind.conftest import KEY
from suite.behind.gateways import FAULTS, HARMLESS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result
    from gonogo.evidence import Record


@pytest.fixture(scope="session")
def clean(stored: Path) -> Record:
    return evidence.read(stored)


@pytest.fixture(scope="session")
def rules(gateway_rules: Catalogue) -> Catalogue:
    return Catalogue(gateway_rules.select(["gateway"]))


def test_our_own_gateway_passes_every_rule(clean: Record, rules: Catalogue) -> None:
    found = verdicts(clean, rules)
    assert {name: message(one) for name, one in found.items() if one.verdict is not Verdict.PASS} == {}


def test_a_fault_turns_the_rules_that_it_names_and_no_others(clean: Record, rules: Catalogue) -> None:
    expected = {fault.name: set(fault.turns) for fault in FAULTS}
    assert {fault.name: turned(verdicts(fault.change(clean), rules)) for fault in FAULTS} == expected


def test_every_rule_has_a_fault(rules: Catalogue) -> None:
    assert {rule for fault in FAULTS for rule in fault.turns} == set(rules.ids)


def test_a_broken_rule_shows_one_exchange_and_what_was_there(clean: Record, rules: Catalogue) -> None:
    known = {exchange.id for exchange in clean.exchanges}
    for fault in FAULTS:
        found = verdicts(fault.change(clean), rules)
        for name in fault.turns:
            shown = [piece.exchange for piece in found[name].evidence]
            assert found[name].expected, name
            assert found[name].actual, name
            assert len(shown) == 1, (fault.name, shown)
            assert set(shown) <= known, name


def test_behaviour_that_is_allowed_for_a_gateway_breaks_no_rule(clean: Record, rules: Catalogue) -> None:
    found = {name: turned(verdicts(change(clean), rules)) for name, change in HARMLESS.items()}
    assert found == {key: set() for key in HARMLESS}


def test_answers_of_the_gateway_without_the_upstream_are_undecided(clean: Record, rules: Catalogue) -> None:
    """A gateway that suspends a provider after an error refuses the next requests itself."""
    away = changed(holding("gateway "), status(429))(unrecorded(holding("upstream 1 of"))(clean))
    found = verdicts(away, rules)
    assert turned(found) <= {"gateway.errors.envelope"}
    because = found["gateway.stream.broken"].because
    assert because is not None
    assert because.reason is Reason.UPSTREAM_NOT_ASKED


def test_the_evidence_holds_no_key_of_the_client(stored: Path, clean: Record) -> None:
    assert KEY.encode() not in stored.read_bytes()
    sights = [one for one in clean.exchanges if one.stimulus.startswith("upstream ")]
    assert {
        value for one in sights for name, value in one.request.headers if name.lower() == "authorization"
    } == {REDACTED}


def test_the_upstream_got_each_request_and_its_own_text(clean: Record) -> None:
    for one in clean.exchanges:
        if one.stimulus.startswith("upstream 1 of gateway"):
            assert plays.asked_for(one.request.body).name in one.stimulus


def test_stored_evidence_of_a_gateway_is_judged_again(gonogo: Callable[..., Result], stored: Path) -> None:
    result = gonogo("judge", stored)
    assert result.exit_code == 0
    assert f"GO  0 failed, {len(load(gateway=True).select(['gateway']))} passed" in result.stdout
