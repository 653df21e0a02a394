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
    """The verdict on a whole run, or on a profile."""

    GO = "go"
    NO_GO = "no-go"
    NOT_JUDGED = "not-judged"  # internal error, nothing could be decided, or the run was cut short


@dataclass(frozen=True)
class Report:
    """The content of a report.

    `seconds` is the length of the run, None if stored evidence was judged. `strict`: warnings are no-go. `unmet` are
    the required groups that the target does not fully support. `exchanges` are those of the evidence by id. `causes`
    explain the broken rules. `truncated`: the evidence file is incomplete. `problems` are the entries of the baseline
    that are no-go. `extra_body` holds the fields that were added to every generation request. `cut_short`: the run
    ended before all requests of these rules were sent; it may be no-go, never go. `rule_set` is the set of the judged
    rules. `parts` are the reports on the models if there are several; each judgement is then the worst of theirs (see
    `gonogo.report.together`). `profiles` are the results for the profiles. `label` is the run's name for the target,
    None if it has none.
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
        """The number of rules with each verdict, including zeros."""
        found = Counter(judgement.verdict for judgement in self.judgements)
        return {verdict: found[verdict] for verdict in Verdict}

    @property
    def gate(self) -> Gate:
        """Go, no-go, or not judged (design, Verdicts)."""
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
        """The models for which the rule has this verdict, if there are several models."""
        same = [part for part in self.parts if part.verdict_on(judgement.rule.id) is judgement.verdict]
        return tuple(str(part.target.model) for part in same)

    def models_of(self, cause: Cause) -> tuple[str, ...]:
        """The models that have this cause, if there are several models."""
        return tuple(str(part.target.model) for part in self.parts if part.has(cause))

    def has(self, cause: Cause) -> bool:
        """Whether the report has a cause with this id."""
        return any(known.id == cause.id for known in self.causes)

    def verdict_on(self, rule_id: str) -> Verdict:
        """The verdict on a rule. Raises KeyError if it was not judged."""
        return self._by_rule[rule_id].verdict

    def judgement(self, rule_id: str) -> Judgement:
        """The judgement of a rule. Raises KeyError if it was not judged."""
        return self._by_rule[rule_id]

    def of(self, cause: Cause) -> list[Judgement]:
        """The judgements that follow from a cause, in its order; of several models, those of the first one with it."""
        known = self._by_rule
        for part in reversed([part for part in self.parts if part.has(cause)]):
            known = known | {found.rule.id: found for found in part.judgements if found.cause == cause.id}
        return [known[rule_id] for rule_id in cause.rules if rule_id in known]

    def cause_of(self, judgement: Judgement) -> Cause | None:
        """The cause of a finding, if there is one."""
        return next((cause for cause in self.causes if cause.id == judgement.cause), None)

    def another_cause(self, judgement: Judgement) -> Cause | None:
        """The cause of a finding, if its title differs from the rule's."""
        cause = self.cause_of(judgement)
        return cause if cause is not None and cause.title != judgement.rule.title else None

    def verdict_of(self, cause: Cause) -> Verdict:
        """The worst verdict of its rules: fail, warn, or waived if the baseline waives all of them."""
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
    """The report on a record; `require` names groups that must be supported, `seconds` is the length of the run.

    `problems` are those of the baseline that was applied to the judgements. `rule_set` defaults to the newest.
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
    """The first position in the evidence that shows the deviation; None if there is none."""
    return next((piece.position for piece in judgement.evidence if piece.position is not None), None)


def shown_exchange(judgement: Judgement, exchanges: Mapping[str, Exchange]) -> Exchange | None:
    """The exchange to show and to repeat: the first with a position, or else the first."""
    ids = [piece.exchange for piece in judgement.evidence if piece.position is not None]
    ids += [piece.exchange for piece in judgement.evidence]
    return next((exchanges[exchange_id] for exchange_id in ids if exchange_id in exchanges), None)


def _supported(group: str, judgements: Iterable[Judgement]) -> bool:
    """Whether at least one rule of the group passed and none was unsupported."""
    verdicts = {judgement.verdict for judgement in judgements if lies_under(judgement.rule.id, group)}
    return Verdict.PASS in verdicts and Verdict.UNSUPPORTED not in verdicts
