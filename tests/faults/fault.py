"""The judgements of a record that a fault changed."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache
from typing import TYPE_CHECKING
from unittest.mock import patch

from gonogo.judge import judge, judging
from gonogo.judge.absence import PLAIN
from gonogo.verdict import Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.judge.deciding import Finding
    from gonogo.judge.steps import Bound
    from gonogo.rules import Catalogue, Scenario
    from gonogo.stimuli.stimulus import Endpoint
    from gonogo.verdict import Judgement

_FINDING, _FINDINGS, _KNOW = judging._finding, judging._findings, judging._know
BROKEN = {Verdict.FAIL, Verdict.WARN}


def verdicts(record: Record, catalogue: Catalogue) -> dict[str, Judgement]:
    """The judgement of every rule on a record, by id."""
    return {found.rule.id: found for found in judge(record, tuple(catalogue), catalogue)}


class _Remembered(dict["Exchange", "Finding"]):
    """The findings of checks on exchanges of the clean run, cached: checks are pure functions."""

    def __init__(self, checks: Sequence[Bound], clean: frozenset[Exchange]) -> None:
        super().__init__()
        self._checks = checks
        self._clean = clean

    def __missing__(self, exchange: Exchange) -> Finding:
        found = _FINDING(self._checks, (exchange,), {})
        if exchange in self._clean:
            self[exchange] = found
        return found


class Rejudge:
    """The judgements of a changed record; only what changed is judged again.

    A judgement depends only on the exchanges that the rule reads, with two exceptions: requests that were never sent,
    and plain requests that show that an operation is missing. If these differ from the clean run, every rule is judged.
    """

    def __init__(
        self, clean: Record, catalogue: Catalogue, scenarios: Sequence[Scenario] | None = None
    ) -> None:
        """Judge by these scenarios, all of the catalogue by default."""
        self.clean = clean
        self.catalogue = catalogue
        self.scenarios = tuple(catalogue) if scenarios is None else tuple(scenarios)
        known = frozenset(clean.exchanges)
        self._values = {_value(exchange): exchange for exchange in clean.exchanges}
        self._remembered = cache(lambda *checks: _Remembered(checks, known))
        self._latest: tuple[Record, judging._Known] | None = None
        self.judgements = self._judged(clean, self.scenarios)
        self._looked_at = self.subjects(clean)
        self._circumstances = _circumstances(clean)

    def subjects(self, record: Record) -> dict[str, list[Exchange]]:
        """The exchanges that each rule reads, by rule id."""
        with patch.object(judging, "_know", self._know):
            return judging.subjects(record, self.scenarios, self.catalogue)

    def changed(self, looked_at: dict[str, list[Exchange]]) -> set[str]:
        """The rules that read other exchanges than in the clean run."""
        return {rule_id for rule_id, exchanges in looked_at.items() if exchanges != self._looked_at[rule_id]}

    def __call__(
        self, record: Record, looked_at: dict[str, list[Exchange]] | None = None
    ) -> dict[str, Judgement]:
        """The judgement of each rule by id, in the order of the catalogue."""
        if _circumstances(record) != self._circumstances:
            return self._judged(record, self.scenarios)
        changed = self.changed(looked_at or self.subjects(record))
        affected = [scenario for scenario in self.scenarios if scenario.rule.id in changed]
        anew = self._judged(record, affected)
        return {rule_id: anew.get(rule_id, old) for rule_id, old in self.judgements.items()}

    def run(self, record: Record) -> tuple[Record, list[Judgement]]:
        """The record and judgements of a separate run.

        An exchange that equals one of the clean run in every byte is replaced by that one.
        """
        known = tuple(self._values.get(_value(exchange), exchange) for exchange in record.exchanges)
        record = replace(record, exchanges=known)
        return record, list(self(record).values())

    def _findings(
        self, checks: tuple[Bound, ...], exchanges: Sequence[Exchange], absent: Mapping[str, Endpoint]
    ) -> list[Finding]:
        if any(bound.check.several for bound in checks) or not checks:
            return _FINDINGS(checks, exchanges, absent)
        known = self._remembered(*checks)
        if absent:
            return [
                _FINDING((), (exchange,), absent) if exchange.id in absent else known[exchange]
                for exchange in exchanges
            ]
        return [known[exchange] for exchange in exchanges]

    def _know(self, record: Record, catalogue: Catalogue) -> judging._Known:
        """The exchanges by their keys, for the subjects and then for the judgements of the same record."""
        if self._latest is None or self._latest[0] is not record:
            self._latest = record, _KNOW(record, catalogue)
        return self._latest[1]

    def _judged(self, record: Record, scenarios: Sequence[Scenario]) -> dict[str, Judgement]:
        with patch.object(judging, "_findings", self._findings), patch.object(judging, "_know", self._know):
            return {found.rule.id: found for found in judge(record, scenarios, self.catalogue)}


def _value(exchange: Exchange) -> tuple[object, ...]:
    return tuple(getattr(exchange, field.name) for field in fields(exchange))


def _circumstances(record: Record) -> tuple[object, ...]:
    plain = {e.stimulus: e.status for e in record.exchanges if e.stimulus in PLAIN.values()}
    return dict(record.unsent), plain


def turned(judgements: dict[str, Judgement]) -> set[str]:
    """The rules with a finding: a deviation, or, for optional features, their absence."""
    return {rule_id for rule_id, found in judgements.items() if _is_turned(found)}


def _is_turned(found: Judgement) -> bool:
    optional = found.verdict is Verdict.UNSUPPORTED and found.rule.level is Level.MAY
    missing = optional and bool(found.expected)  # a plain refusal has no expected value
    return found.verdict in BROKEN or missing
