"""Evidence in, verdicts out: no network, no clock.

A rule is decided exchange by exchange and the worst finding is its verdict: a deviation wins over everything,
then a pass, then an answer that was read and left it open, then a plain refusal, then what was never read.
"""

from __future__ import annotations

import functools
import re
import traceback
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import gonogo.judge.checks  # noqa: F401 - registers the vocabulary
from gonogo.errors import FeatureError, GonogoError
from gonogo.exchange import FailureKind
from gonogo.judge.absence import unserved
from gonogo.judge.blame import fairly
from gonogo.judge.outcome import Deviation, Refused, Undecided, Unread, answered_with
from gonogo.judge.steps import Bound, Of, then
from gonogo.stimuli.phrases import Ask
from gonogo.stimuli.stimulus import NO_EMBEDDING_MODEL
from gonogo.verdict import Evidence, Judgement, Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gonogo.evidence import Record
    from gonogo.exchange import Exchange
    from gonogo.rules import Catalogue, Scenario
    from gonogo.stimuli.phrases import Watch
    from gonogo.stimuli.stimulus import Stimulus

BROKEN = {Level.MUST: Verdict.FAIL, Level.SHOULD: Verdict.WARN, Level.MAY: Verdict.UNSUPPORTED}


# The id of an exchange, or a program and its version: names are written as they are.
_NAME = re.compile(r"x[0-9]|[a-z-]+ [0-9]+\.[0-9]+\.[0-9]")


@dataclass(frozen=True, slots=True)
class _Finding:
    """What one check said of one exchange, or of several."""

    exchanges: tuple[Exchange, ...]
    outcome: Deviation | Undecided | Refused | None


@dataclass(frozen=True, slots=True)
class _Known:
    """A record as rules look at it, by the key of the stimulus.

    `stimuli` are those of the exchanges that this version knows, each after its key; `absent` holds the ids of the
    answers that say only that their operation is not there.
    """

    exchanges: Mapping[str, Exchange]
    unsent: Mapping[str, str]
    stimuli: tuple[tuple[str, Stimulus], ...]
    absent: frozenset[str]


def _know(record: Record, catalogue: Catalogue) -> _Known:
    by_key = {exchange.stimulus: exchange for exchange in record.exchanges}
    stimuli = _stimuli(catalogue, tuple(by_key))
    known = dict(stimuli)
    return _Known(fairly(by_key, known), record.unsent, stimuli, unserved(by_key, known))


@functools.lru_cache(maxsize=8)
def _stimuli(catalogue: Catalogue, keys: tuple[str, ...]) -> tuple[tuple[str, Stimulus], ...]:
    return tuple((key, found) for key in keys if (found := catalogue.stimulus(key)) is not None)


def judge(record: Record, scenarios: Sequence[Scenario], catalogue: Catalogue) -> list[Judgement]:
    """The judgement of each scenario on the record, in the same order.

    A check that breaks costs its own rule, whose verdict is then an error, and no other. Raises FeatureError
    where a scenario names a check that does not exist.
    """
    known = _know(record, catalogue)
    return [_guarded(scenario, bind(scenario), known) for scenario in scenarios]


def judge_checks(
    record: Record, scenario: Scenario, checks: Sequence[Bound], catalogue: Catalogue
) -> Judgement:
    """The judgement of some checks on what a scenario looks at; for runners that go step by step."""
    return _guarded(scenario, tuple(checks), _know(record, catalogue))


@functools.cache
def bind(scenario: Scenario) -> tuple[Bound, ...]:
    """The checks of a scenario's Then steps; FeatureError where a step is not in the vocabulary."""
    bound = []
    for text in scenario.thens:
        try:
            check, values = then.find(text)
        except (LookupError, ValueError) as error:
            raise FeatureError(f"{scenario.where}: {error}") from error
        bound.append(Bound(check, values))
    return tuple(bound)


def _guarded(scenario: Scenario, checks: tuple[Bound, ...], known: _Known) -> Judgement:
    try:
        exchanges, gaps = _subjects(scenario, known)
        return _decide(scenario, checks, tuple(exchanges), tuple(gaps), known.absent)
    except GonogoError:
        raise
    except Exception as error:  # noqa: BLE001 - any mistake of ours; it is reported as such
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        message = f"The check broke on these answers: {type(error).__name__}: {error} ({where})"
        return Judgement(scenario.rule, Verdict.ERROR, message)


# What is judged again in the same process, as the records of the faults are, differs in a few exchanges from what was
# judged before: a rule that looks at others is not decided anew, and of one that looks at them only they are.
@functools.lru_cache(maxsize=1 << 13)
def _decide(
    scenario: Scenario,
    checks: tuple[Bound, ...],
    exchanges: tuple[Exchange, ...],
    gaps: tuple[str, ...],
    absent: frozenset[str],
) -> Judgement:
    findings = [] if gaps else _findings(checks, exchanges, absent)
    for choose in (_deviating, _passing, _unclear, _refused):
        judgement = choose(scenario, findings)
        if judgement is not None:
            return judgement
    unread = [finding for finding in findings if isinstance(finding.outcome, Unread)]
    reason = gaps[0] if gaps else str(unread[0].outcome) if unread else "nothing of the kind was recorded"
    # Whoever has no model for embeddings does not offer them, and says so by listing none.
    verdict = Verdict.UNSUPPORTED if reason == NO_EMBEDDING_MODEL else Verdict.INCONCLUSIVE
    return Judgement(scenario.rule, verdict, _capital(reason), evidence=_evidence(unread[:1] or findings))


def _subjects(scenario: Scenario, known: _Known) -> tuple[list[Exchange], list[str]]:
    """The exchanges a rule looks at, in the order of its steps, and why one that it asked for is missing."""
    found: dict[str, Exchange] = {}
    gaps = []
    for look in scenario.looks:
        if isinstance(look, Ask):
            key = look.stimulus.key
            if key in known.exchanges:
                found[key] = known.exchanges[key]
            else:
                missing = "the evidence does not hold this request; collect it again"
                gaps.append(known.unsent.get(key, missing))
        else:
            fitting = _fitting(look, known.stimuli)
            found |= {key: known.exchanges[key] for key in fitting}
            if not fitting:
                gaps += [known.unsent[need.key] for need in look.needs if need.key in known.unsent]
    return list(found.values()), gaps


@functools.lru_cache(maxsize=1 << 10)
def _fitting(look: Watch, stimuli: tuple[tuple[str, Stimulus], ...]) -> tuple[str, ...]:
    return tuple(key for key, stimulus in stimuli if look.fits(stimulus))


def _findings(
    checks: Iterable[Bound], exchanges: tuple[Exchange, ...], absent: frozenset[str]
) -> list[_Finding]:
    """One finding per exchange: the first check that does not simply pass; and one per comparison."""
    single = tuple(bound for bound in checks if not bound.check.several)
    several = tuple(bound for bound in checks if bound.check.several)
    groups = [(exchange,) for exchange in exchanges] if single else []
    found = [_finding(single, group, absent) for group in groups]
    if several:
        found.append(_finding(several, exchanges, absent))
        if all(finding.outcome is None for finding in found[:-1]):
            return found[-1:]
        return [finding for finding in found if finding.outcome is not None]
    return found


@functools.lru_cache(maxsize=1 << 15)
def _finding(checks: tuple[Bound, ...], exchanges: tuple[Exchange, ...], absent: frozenset[str]) -> _Finding:
    for exchange in exchanges:
        if exchange.id in absent:
            reason = Refused(f"there is no such operation: status {exchange.status} ({exchange.id})")
            return _Finding(exchanges, reason)
    return _Finding(exchanges, _first(checks, exchanges))


def _first(
    checks: tuple[Bound, ...], exchanges: tuple[Exchange, ...]
) -> Deviation | Undecided | Refused | None:
    """What the first check says that does not pass; a deviation of any check comes before the rest."""
    held: Undecided | Refused | None = None
    for bound in checks:
        try:
            for exchange in exchanges:
                _admit(exchange, bound.check.of)
            deviation = bound(*exchanges)
        except (Undecided, Refused) as reason:
            held = held or reason
            continue
        if deviation is not None:
            return deviation
    return held


def _admit(exchange: Exchange, of: Of) -> None:
    """Let the exchange through to a check that speaks of such answers; raise what to say of it otherwise."""
    if of is Of.ANY:
        return
    status, failure = exchange.status, exchange.failure
    readable = of is Of.BEGUN and status is not None
    if failure is not None and (not readable or failure.kind is FailureKind.TOO_LARGE):
        raise Unread(f"{exchange.id} was not answered whole: {failure.message}")
    if status is None or of is Of.ANSWERED:
        return
    if status in {401, 403, 429}:
        raise Unread(answered_with(exchange))
    if of is Of.REFUSED:
        if status < 400:
            raise Unread(f"{exchange.id} was not refused, but answered with {status}")
        return
    if 400 <= status < 500 or status == 501:
        raise Refused(f"refused with {status} ({exchange.id})")
    if not 200 <= status < 300:
        raise Unread(answered_with(exchange))


def _deviating(scenario: Scenario, findings: list[_Finding]) -> Judgement | None:
    broken = [finding for finding in findings if isinstance(finding.outcome, Deviation)]
    if not broken:
        return None
    first = broken[0]
    assert isinstance(first.outcome, Deviation)
    deviation = first.outcome
    many = f" (in {len(broken)} of {len(findings)} exchanges)" if len(findings) > 1 else ""
    return Judgement(
        scenario.rule,
        BROKEN[scenario.rule.level],
        f"{_capital(deviation.actual)}{many}",
        deviation.expected,
        deviation.actual,
        tuple(
            Evidence(exchange_id, finding.outcome.position if index == 0 else None, actual)
            for finding in broken
            if isinstance(finding.outcome, Deviation)
            for index, (exchange_id, actual) in enumerate(_examples(finding.exchanges, finding.outcome))
        ),
    )


def _examples(exchanges: tuple[Exchange, ...], deviation: Deviation) -> Iterable[tuple[str, str]]:
    """The exchanges that show a deviation, the one to look at first at the head, each with what was there."""
    return deviation.examples or [(exchange.id, deviation.actual) for exchange in reversed(exchanges)]


def _passing(scenario: Scenario, findings: list[_Finding]) -> Judgement | None:
    passed = [finding for finding in findings if finding.outcome is None]
    if not passed:
        return None
    return Judgement(scenario.rule, Verdict.PASS, "Kept", evidence=_evidence(passed))


def _unclear(scenario: Scenario, findings: list[_Finding]) -> Judgement | None:
    unclear = [
        finding
        for finding in findings
        if isinstance(finding.outcome, Undecided) and not isinstance(finding.outcome, Unread)
    ]
    if not unclear:
        return None
    reason = _capital(str(unclear[0].outcome))
    return Judgement(scenario.rule, Verdict.INCONCLUSIVE, reason, evidence=_evidence(unclear[:1]))


def _refused(scenario: Scenario, findings: list[_Finding]) -> Judgement | None:
    refused = [finding for finding in findings if isinstance(finding.outcome, Refused)]
    if not refused:
        return None
    message = _capital(str(refused[0].outcome))
    return Judgement(scenario.rule, Verdict.UNSUPPORTED, message, evidence=_evidence(refused[:1]))


def _evidence(findings: Iterable[_Finding]) -> tuple[Evidence, ...]:
    exchanges = chain.from_iterable(finding.exchanges for finding in findings)
    return tuple(map(Evidence, dict.fromkeys(map(attrgetter("id"), exchanges))))


def _capital(sentence: str) -> str:
    return sentence if _NAME.match(sentence) else sentence[:1].upper() + sentence[1:]
