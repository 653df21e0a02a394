"""Combines the findings of a rule into one judgement: the worst finding decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo.judge.outcome import Deviation, Kept, Refused, Undecided
from gonogo.reasons import NOT_APPLICABLE, UNREAD, Reason
from gonogo.verdict import Because, Evidence, Judgement, Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Outcome
    from gonogo.verdict import Rule

BROKEN = {Level.MUST: Verdict.FAIL, Level.SHOULD: Verdict.WARN, Level.MAY: Verdict.UNSUPPORTED}


@dataclass(frozen=True, slots=True)
class Finding:
    """The results of a rule's checks on one exchange, or on several together."""

    exchanges: tuple[Exchange, ...]
    outcome: Outcome


def decide(rule: Rule, findings: Sequence[Finding], gaps: Sequence[Because] = ()) -> Judgement:
    """The judgement from the findings; `gaps` are the reasons why requested exchanges are missing."""
    for choose in (_deviating, _kept, _open, _refused):
        judgement = choose(rule, findings)
        if judgement is not None:
            return judgement
    unread = [f.outcome.because for f in findings if isinstance(f.outcome, Undecided)]
    because = next(iter([*gaps, *unread]), Because(Reason.NOTHING_RECORDED))
    return _without_verdict(rule, because)


def _deviating(rule: Rule, findings: Sequence[Finding]) -> Judgement | None:
    broken = [(f, f.outcome) for f in findings if isinstance(f.outcome, Deviation)]
    if not broken:
        return None
    first = broken[0][1]
    return Judgement(
        rule,
        BROKEN[rule.level],
        expected=first.expected,
        actual=first.found,
        evidence=tuple(piece for finding, deviation in broken for piece in _evidence(finding, deviation)),
        broken=len(broken),
        looked_at=len(broken) + sum(isinstance(f.outcome, Kept) for f in findings),
    )


def _evidence(finding: Finding, deviation: Deviation) -> Iterable[Evidence]:
    """The exchanges that show a deviation, the most relevant one first, each with its actual value."""
    shown = deviation.also or [(exchange.id, deviation.found) for exchange in reversed(finding.exchanges)]
    for number, (exchange_id, found) in enumerate(shown):
        yield Evidence(exchange_id, None if number else deviation.at, found)


def _kept(rule: Rule, findings: Sequence[Finding]) -> Judgement | None:
    kept = [finding.outcome for finding in findings if isinstance(finding.outcome, Kept)]
    if not kept:
        return None
    # By value: hashing values is three times faster than hashing thousands of witnesses.
    once = {(seen.exchange, seen.what, seen.count): seen for outcome in kept for seen in outcome.witnesses}
    witnesses = tuple(once.values())
    evidence = tuple(map(Evidence, dict.fromkeys(witness.exchange for witness in witnesses)))
    return Judgement(rule, Verdict.PASS, evidence=evidence, witnesses=witnesses, looked_at=len(findings))


def _open(rule: Rule, findings: Sequence[Finding]) -> Judgement | None:
    found = [f.outcome for f in findings if isinstance(f.outcome, Undecided)]
    read = [outcome for outcome in found if outcome.reason not in UNREAD]
    return _without_verdict(rule, read[0].because) if read else None


def _refused(rule: Rule, findings: Sequence[Finding]) -> Judgement | None:
    refused = [finding.outcome for finding in findings if isinstance(finding.outcome, Refused)]
    if not refused:
        return None
    because = refused[0].because
    return Judgement(rule, Verdict.UNSUPPORTED, because=because, evidence=tuple(map(Evidence, because.about)))


def _without_verdict(rule: Rule, because: Because) -> Judgement:
    verdict = Verdict.NOT_APPLICABLE if because.reason in NOT_APPLICABLE else Verdict.INCONCLUSIVE
    if because.reason in {Reason.NO_EMBEDDING_MODEL, Reason.NO_SUCH_OPERATION}:
        # A target that lists no embedding model does not offer embeddings.
        verdict = Verdict.UNSUPPORTED
    return Judgement(rule, verdict, because=because, evidence=tuple(map(Evidence, because.about)))
