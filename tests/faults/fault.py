"""What every rule says of a record that a fault changed."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from unittest.mock import patch

from gonogo.judge import bind, judge, judging
from gonogo.judge.absence import PLAIN
from gonogo.verdict import Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome
    from gonogo.judge.steps import Bound
    from gonogo.rules import Catalogue, Scenario
    from gonogo.verdict import Judgement

BROKEN = {Verdict.FAIL, Verdict.WARN}


def verdicts(record: Record, catalogue: Catalogue) -> dict[str, Judgement]:
    """What every rule says of a record, by id."""
    return {found.rule.id: found for found in judge(record, tuple(catalogue), catalogue)}


class _Remembering:
    """A check that says of an exchange of the clean run what it said before: checks are pure functions."""

    def __init__(self, bound: Bound, clean: frozenset[Exchange]) -> None:
        self.check = bound.check
        self._bound = bound
        self._clean = clean
        self._said: dict[Exchange, Outcome] = {}

    def __call__(self, *exchanges: Exchange) -> Outcome:
        if self.check.several or exchanges[0] not in self._clean:
            return self._bound(*exchanges)
        (exchange,) = exchanges
        if exchange not in self._said:
            self._said[exchange] = self._bound(exchange)
        return self._said[exchange]


class Rejudge:
    """What every rule says of a changed record, where only what was changed is judged anew.

    The judge sees nothing but the exchanges that a rule looks at, with two exceptions: what was never sent, and plain
    requests that say that an operation is not there. Where those are others than in the clean run, every rule is
    judged.
    """

    def __init__(self, clean: Record, catalogue: Catalogue) -> None:
        self.clean = clean
        self.catalogue = catalogue
        known = frozenset(clean.exchanges)

        @cache
        def remembering(scenario: Scenario) -> tuple[_Remembering, ...]:
            return tuple(_Remembering(bound, known) for bound in bind(scenario))

        self._bind = remembering
        self.judgements = self._judged(clean, tuple(catalogue))
        self._looked_at = self.subjects(clean)
        self._circumstances = _circumstances(clean)

    def subjects(self, record: Record) -> dict[str, list[Exchange]]:
        """The exchanges that each rule looks at, by the id of the rule."""
        return judging.subjects(record, tuple(self.catalogue), self.catalogue)

    def changed(self, looked_at: dict[str, list[Exchange]]) -> set[str]:
        """The rules that look at other exchanges than in the clean run."""
        return {rule_id for rule_id, exchanges in looked_at.items() if exchanges != self._looked_at[rule_id]}

    def __call__(
        self, record: Record, looked_at: dict[str, list[Exchange]] | None = None
    ) -> dict[str, Judgement]:
        """The judgement of each rule, by its id and in the order of the catalogue."""
        if _circumstances(record) != self._circumstances:
            return self._judged(record, tuple(self.catalogue))
        changed = self.changed(looked_at or self.subjects(record))
        affected = [scenario for scenario in self.catalogue if scenario.rule.id in changed]
        anew = self._judged(record, affected)
        return {rule_id: anew.get(rule_id, old) for rule_id, old in self.judgements.items()}

    def _judged(self, record: Record, scenarios: Sequence[Scenario]) -> dict[str, Judgement]:
        with patch.object(judging, "bind", self._bind):
            return {found.rule.id: found for found in judge(record, scenarios, self.catalogue)}


def _circumstances(record: Record) -> tuple[object, ...]:
    plain = {e.stimulus: e.status for e in record.exchanges if e.stimulus in PLAIN.values()}
    return dict(record.unsent), plain


def turned(judgements: dict[str, Judgement]) -> set[str]:
    """The rules that found something: a deviation, or for what is optional, that it is not there."""
    return {rule_id for rule_id, found in judgements.items() if _is_turned(found)}


def _is_turned(found: Judgement) -> bool:
    optional = found.verdict is Verdict.UNSUPPORTED and found.rule.level is Level.MAY
    missing = optional and bool(found.expected)  # a plain refusal expects nothing
    return found.verdict in BROKEN or missing
