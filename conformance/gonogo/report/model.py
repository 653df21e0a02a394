"""The result of a run, ready for output: gate, totals, cost, and the exchanges behind each judgement.

A pure function of judgements and evidence; every format is a pure function of this.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from gonogo.reasons import CUT_SHORT
from gonogo.report.cost import Cost, cost
from gonogo.rules import lies_under
from gonogo.rules.sets import SETS
from gonogo.stimuli.fuzzed import GROUPS, is_fuzzed
from gonogo.verdict import FIRST_SET, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gonogo.baseline import Problem
    from gonogo.evidence import Record, Target
    from gonogo.exchange import Exchange
    from gonogo.report.profile_results import ProfileResult
    from gonogo.verdict import Cause, Judgement, Position

DECIDED = frozenset({Verdict.PASS, Verdict.FAIL, Verdict.WARN, Verdict.WAIVED})


class Gate(StrEnum):
    """The answer for a whole run, or for a profile."""

    GO = "go"
    NO_GO = "no-go"
    NOT_JUDGED = "not-judged"  # a check of ours broke, nothing could be decided, or the run was cut short


@dataclass(frozen=True)
class Report:
    """Everything that a report shows.

    `seconds` is how long the run took, None if stored evidence was judged. `strict` is whether warnings break the gate.
    `unmet` holds the required groups that the target does not support as asked. `exchanges` are those of the evidence
    by id. `causes` explain the broken rules. `truncated` is true if the evidence file was cut short. `problems` are the
    entries of the baseline that break the gate. `extra_body` holds the fields that went into every generation.
    `cut_short` is true if the run ended before all was asked that these rules look at: it may be no-go, never go.
    `rule_set` is the set whose rules were judged. `parts` are the reports on the models if there are several; each
    judgement is then the worst of theirs (see `gonogo.report.together`). `profiles` says which the target holds.
    `label` is what the run calls the target, None if it calls it nothing.
    """

    target: Target
    started: str
    seconds: float | None
    cost: Cost
    judgements: tuple[Judgement, ...]
    exchanges: Mapping[str, Exchange]
    strict: bool = False
    unmet: tuple[str, ...] = ()
    truncated: bool = False
    problems: tuple[Problem, ...] = ()
    causes: tuple[Cause, ...] = ()
    extra_body: Mapping[str, object] = field(default_factory=dict)
    cut_short: bool = False
    rule_set: str = FIRST_SET
    parts: tuple[Report, ...] = ()
    profiles: tuple[ProfileResult, ...] = ()
    label: str | None = None

    @property
    def totals(self) -> dict[Verdict, int]:
        """How many rules have each verdict, zeros included."""
        found = Counter(judgement.verdict for judgement in self.judgements)
        return {verdict: found[verdict] for verdict in Verdict}

    @property
    def gate(self) -> Gate:
        """Go, no-go, or that the run could not judge (design, Verdicts)."""
        totals = self.totals
        if totals[Verdict.ERROR] or not any(totals[verdict] for verdict in DECIDED):
            return Gate.NOT_JUDGED
        if totals[Verdict.FAIL] or self.unmet or self.problems or (self.strict and totals[Verdict.WARN]):
            return Gate.NO_GO
        required = [held for held in self.profiles if held.required]
        if any(held.unsupported for held in required):
            return Gate.NO_GO
        unjudged = self.cut_short or any(part.gate is Gate.NOT_JUDGED for part in self.parts)
        unjudged |= any(held.undecided for held in required)
        return Gate.NOT_JUDGED if unjudged else Gate.GO

    @property
    def models(self) -> tuple[str, ...]:
        """The models if there are several, in the order in which they were requested."""
        return tuple(str(part.target.model) for part in self.parts)

    def models_with(self, judgement: Judgement) -> tuple[str, ...]:
        """The models, of several, for which the rule has this verdict."""
        same = [part for part in self.parts if part.verdict_on(judgement.rule.id) is judgement.verdict]
        return tuple(str(part.target.model) for part in same)

    def models_of(self, cause: Cause) -> tuple[str, ...]:
        """The models, of several, that have this cause."""
        return tuple(str(part.target.model) for part in self.parts if part.has(cause))

    def has(self, cause: Cause) -> bool:
        """Whether a cause of that id is among those of the report."""
        return any(known.id == cause.id for known in self.causes)

    def verdict_on(self, rule_id: str) -> Verdict:
        """The verdict on a rule. Raises KeyError if it was not judged."""
        return self._by_rule[rule_id].verdict

    def judgement(self, rule_id: str) -> Judgement:
        """The judgement of a rule. Raises KeyError if it was not judged."""
        return self._by_rule[rule_id]

    def of(self, cause: Cause) -> list[Judgement]:
        """The judgements that follow from a cause, the most telling first; of several models, as the first has them."""
        known = self._by_rule
        for part in reversed([part for part in self.parts if part.has(cause)]):
            known = known | {found.rule.id: found for found in part.judgements if found.cause == cause.id}
        return [known[rule_id] for rule_id in cause.rules if rule_id in known]

    def cause_of(self, judgement: Judgement) -> Cause | None:
        """The cause that explains a finding, where one does."""
        return next((cause for cause in self.causes if cause.id == judgement.cause), None)

    def another_cause(self, judgement: Judgement) -> Cause | None:
        """The cause that explains a finding, where that says something else than the rule itself."""
        cause = self.cause_of(judgement)
        return cause if cause is not None and cause.title != judgement.rule.title else None

    def verdict_of(self, cause: Cause) -> Verdict:
        """The worst verdict of its rules: fail, warn, or waived where the baseline waives them all."""
        found = {judgement.verdict for judgement in self.of(cause)}
        return next(verdict for verdict in (Verdict.FAIL, Verdict.WARN, Verdict.WAIVED) if verdict in found)

    @cached_property
    def _by_rule(self) -> dict[str, Judgement]:
        return {judgement.rule.id: judgement for judgement in self.judgements}

    def groups(self) -> dict[str, list[Judgement]]:
        """The judgements of each group, in the order of the rules."""
        found: dict[str, list[Judgement]] = {}
        for judgement in self.judgements:
            found.setdefault(judgement.rule.group, []).append(judgement)
        return found


def build(
    judgements: Sequence[Judgement],
    record: Record,
    *,
    strict: bool = False,
    require: Iterable[str] = (),
    seconds: float | None = None,
    problems: Iterable[Problem] = (),
    causes: Iterable[Cause] = (),
    rule_set: str | None = None,
) -> Report:
    """The report on a record; `require` names groups that must be supported, `seconds` is its length.

    `problems` are those of the baseline that the judgements went through. `rule_set` is the newest where it is None.
    """
    return Report(
        target=record.target,
        started=record.started,
        seconds=seconds,
        cost=cost(record.exchanges),
        judgements=tuple(judgements),
        exchanges={exchange.id: exchange for exchange in record.exchanges},
        strict=strict,
        unmet=tuple(group for group in require if not _supported(group, judgements)),
        truncated=record.truncated,
        problems=tuple(problems),
        causes=tuple(causes),
        extra_body=record.extra_body,
        rule_set=rule_set or SETS.newest,
        cut_short=_is_cut_short(judgements, record),
    )


def _is_cut_short(judgements: Sequence[Judgement], record: Record) -> bool:
    reasons = {judgement.because.reason for judgement in judgements if judgement.because is not None}
    if any(judgement.rule.group in GROUPS for judgement in judgements):
        reasons |= {because.reason for key, because in record.unsent.items() if is_fuzzed(key)}
    return not CUT_SHORT.isdisjoint(reasons)


def position_of(judgement: Judgement) -> Position | None:
    """The place in its evidence that shows the deviation, or None if there is no one place."""
    return next((piece.position for piece in judgement.evidence if piece.position is not None), None)


def shown_exchange(judgement: Judgement, exchanges: Mapping[str, Exchange]) -> Exchange | None:
    """The exchange to look at first, and to repeat: the one with a position, else the first."""
    ids = [piece.exchange for piece in judgement.evidence if piece.position is not None]
    ids += [piece.exchange for piece in judgement.evidence]
    return next((exchanges[exchange_id] for exchange_id in ids if exchange_id in exchanges), None)


def _supported(group: str, judgements: Iterable[Judgement]) -> bool:
    """Whether some rule of the group passed and none of them was refused."""
    verdicts = {judgement.verdict for judgement in judgements if lies_under(judgement.rule.id, group)}
    return Verdict.PASS in verdicts and Verdict.UNSUPPORTED not in verdicts
