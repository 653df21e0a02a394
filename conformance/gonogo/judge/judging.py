"""Judges evidence by the rules, without network and clock.

A rule is decided exchange by exchange and the worst finding is its verdict. The order is: a deviation, a pass, an
undecided answer, a refusal, an answer that was never read.
"""

from __future__ import annotations

import functools
import traceback
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import gonogo.judge.checks  # noqa: F401 - registers the vocabulary
from gonogo.errors import FeatureError, GonogoError
from gonogo.judge.absence import PLAIN, no_such_operation, unserved
from gonogo.judge.blame import fairly
from gonogo.judge.deciding import Finding, decide
from gonogo.judge.outcome import Deviation, Kept, Outcome, Refused, Undecided
from gonogo.judge.steps import Bound, then
from gonogo.reasons import Reason
from gonogo.stimuli.beside import key_beside
from gonogo.stimuli.phrases import Ask
from gonogo.verdict import Because, Judgement, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.rules import Catalogue, Scenario
    from gonogo.stimuli.phrases import Watch
    from gonogo.stimuli.stimulus import Endpoint, Stimulus


@dataclass(frozen=True, slots=True)
class _Known:
    """The exchanges of a record by the key of their stimulus.

    `stimuli` are those of the exchanges that this version knows; `absent` are the missing operations, by the ids of the
    exchanges that show it. `watched` caches earlier selections: hundreds of rules watch the same exchanges.
    """

    exchanges: Mapping[str, Exchange]
    unsent: Mapping[str, Because]
    stimuli: Mapping[str, Stimulus]
    absent: Mapping[str, Endpoint]
    watched: dict[Callable[[Stimulus], bool], Mapping[str, Exchange]] = field(default_factory=dict)

    def fitting(self, look: Watch) -> Mapping[str, Exchange]:
        """The exchanges that a watch selects, by the key of the stimulus."""
        found = self.watched.get(look.fits)
        if found is None:
            found = {
                key: self.exchanges[key] for key, stimulus in self.stimuli.items() if look.fits(stimulus)
            }
            self.watched[look.fits] = found
        return found

    def gap(self, stimulus: Stimulus) -> Because:
        """Why a stimulus has no exchange; if it needs one of a missing operation, it is missing for the same reason."""
        plain = self.exchanges.get(PLAIN.get(stimulus.endpoint, ""))
        if plain is not None and plain.id in self.absent:
            return no_such_operation(stimulus.endpoint, plain).because
        return self.unsent.get(stimulus.key, Because(Reason.NOT_RECORDED))


def _know(record: Record, catalogue: Catalogue) -> _Known:
    by_key = {e.stimulus: e for e in record.exchanges if e.stimulus not in record.unsent}
    by_key |= _beside(record.exchanges, by_key, catalogue)
    stimuli = {key: found for key in by_key if (found := catalogue.stimulus(key)) is not None}
    return _Known(fairly(by_key, stimuli), record.unsent, stimuli, unserved(by_key, stimuli))


def _beside(
    exchanges: Iterable[Exchange], last: Mapping[str, Exchange], catalogue: Catalogue
) -> dict[str, Exchange]:
    """The earlier exchanges of requests that were first sent in parallel and then alone, by their own keys."""
    found = {}
    for exchange in exchanges:
        key = exchange.stimulus
        known = catalogue.stimulus(key)
        if key in last and last[key] is not exchange and known is not None and known.like is not None:
            found[key_beside(key)] = replace(exchange, stimulus=key_beside(key))
    return found


def judge(record: Record, scenarios: Sequence[Scenario], catalogue: Catalogue) -> list[Judgement]:
    """The judgement of each scenario on the record, in the same order.

    A check that raises an exception makes its own rule an error, and affects no other. Raises FeatureError if a
    scenario names a check that does not exist.
    """
    known = _know(record, catalogue)
    return [_guarded(scenario, bind(scenario), known) for scenario in scenarios]


@functools.cache
def bind(scenario: Scenario) -> tuple[Bound, ...]:
    """The checks of a scenario's Then steps. Raises FeatureError if a step is not in the vocabulary."""
    bound = []
    for text in scenario.thens:
        try:
            check, values = then.find(text)
        except (LookupError, ValueError) as error:
            raise FeatureError(f"{scenario.where}: {error}") from error
        bound.append(Bound(check, values))
    return tuple(bound)


def subjects(
    record: Record, scenarios: Iterable[Scenario], catalogue: Catalogue
) -> dict[str, list[Exchange]]:
    """The exchanges of each scenario, by the id of its rule."""
    known = _know(record, catalogue)
    return {scenario.rule.id: _subjects(scenario, known)[0] for scenario in scenarios}


def _guarded(scenario: Scenario, checks: tuple[Bound, ...], known: _Known) -> Judgement:
    try:
        exchanges, gaps = _subjects(scenario, known)
        findings = [] if gaps else _findings(checks, exchanges, known.absent)
        return decide(scenario.rule, findings, gaps)
    except GonogoError:
        raise
    except Exception as error:  # noqa: BLE001 - a bug in a check is reported as an error
        place = traceback.extract_tb(error.__traceback__)[-1]
        values = {
            "error": f"{type(error).__name__}: {error}",
            "where": f"{Path(place.filename).name}:{place.lineno}",
        }
        return Judgement(scenario.rule, Verdict.ERROR, because=Because(Reason.CHECK_BROKE, values))


def _subjects(scenario: Scenario, known: _Known) -> tuple[list[Exchange], list[Because]]:
    """The exchanges of a rule, in the order of its steps, and the reasons why requested ones are missing."""
    found: dict[str, Exchange] = {}
    gaps = []
    for look in scenario.looks:
        if isinstance(look, Ask):
            key = look.stimulus.key
            if key in known.exchanges:
                found[key] = known.exchanges[key]
            else:
                gaps.append(known.gap(look.stimulus))
        else:
            fitting = known.fitting(look)
            found |= fitting
            if not fitting:
                gaps += [known.unsent[need.key] for need in look.needs if need.key in known.unsent]
    return list(found.values()), gaps


def _findings(
    checks: tuple[Bound, ...], exchanges: Sequence[Exchange], absent: Mapping[str, Endpoint]
) -> list[Finding]:
    """One finding per exchange from the checks of single exchanges, and one from the checks that compare several."""
    single = [bound for bound in checks if not bound.check.several]
    several = [bound for bound in checks if bound.check.several]
    found = [_finding(single, (exchange,), absent) for exchange in exchanges] if single else []
    if several:
        # A comparing rule passes by the comparison, and only if no single answer breaks it.
        found = [finding for finding in found if not isinstance(finding.outcome, Kept)]
        compared = _finding(several, tuple(exchanges), absent)
        if not found or not isinstance(compared.outcome, Kept):
            found.append(compared)
    return found


def _finding(
    checks: Iterable[Bound], exchanges: tuple[Exchange, ...], absent: Mapping[str, Endpoint]
) -> Finding:
    for exchange in exchanges:
        if exchange.id in absent:
            return Finding(exchanges, no_such_operation(absent[exchange.id], exchange))
    return Finding(exchanges, _first([bound(*exchanges) for bound in checks]))


def _first(outcomes: Sequence[Outcome]) -> Outcome:
    """A deviation of any check, else the first undecided outcome, else all witnesses together."""
    for outcome in outcomes:
        if isinstance(outcome, Deviation):
            return outcome
    for outcome in outcomes:
        if isinstance(outcome, Undecided | Refused):
            return outcome
    return Kept(tuple(witness for kept in outcomes if isinstance(kept, Kept) for witness in kept.witnesses))
