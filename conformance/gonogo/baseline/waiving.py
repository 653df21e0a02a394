"""Applies a baseline to the judgements of a run, and reports entries that break the gate.

Only a pass proves an entry superfluous. A rule that was refused, undecided or not part of this run proves nothing about
its entry.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from gonogo.baseline.file import HEAD
from gonogo.verdict import Verdict, Waiver

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import date

    from gonogo.baseline.file import Baseline, Entry
    from gonogo.verdict import Judgement

WAIVABLE = frozenset({Verdict.FAIL, Verdict.WARN})


class Kind(StrEnum):
    """Why an entry breaks the gate."""

    STALE = "stale"
    UNKNOWN = "unknown"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Problem:
    """An entry that breaks the gate. `message` is a sentence that names the file, the line, and what to do."""

    kind: Kind
    rule: str
    path: str
    line: int
    message: str


def waive(
    judgements: Iterable[Judgement], baseline: Baseline, rules: Collection[str], today: date
) -> tuple[list[Judgement], list[Problem]]:
    """The judgements, with broken rules waived by the baseline, and the baseline entries that break the gate.

    `rules` are the ids of all rules. An entry holds until the end of the day that it names.
    """
    judged = list(judgements)
    found = {judgement.rule.id: judgement.verdict for judgement in judged}
    problems = [
        problem
        for entry in baseline.entries.values()
        if (problem := _problem(entry, found.get(entry.rule), baseline, rules, today)) is not None
    ]
    entries = baseline.entries
    return [_waived(judgement, entries.get(judgement.rule.id), today) for judgement in judged], problems


def updated(
    judgements: Sequence[Judgement], baseline: Baseline, rules: Collection[str], *, strict: bool
) -> str:
    """The text of the baseline that fits a run: broken rules are added, superfluous entries removed.

    Entries that stay are left unchanged, even expired ones, because a person chose the date. New entries have an empty
    reason, which `read` rejects until a person fills it in. Warnings are added if the run is `strict`.
    """
    found = {judgement.rule.id: judgement.verdict for judgement in judgements}
    gone = [
        entry.rule
        for entry in baseline.entries.values()
        if entry.rule not in rules or _is_stale(entry, found.get(entry.rule))
    ]
    breaking = {Verdict.FAIL, Verdict.WARN} if strict else {Verdict.FAIL}
    new = [rule for rule, verdict in found.items() if verdict in breaking and rule not in baseline.entries]
    head = [] if baseline.lines else HEAD.splitlines()
    lines = [*head, *baseline.without(gone), *(f'{json.dumps(rule)} = {{ reason = "" }}' for rule in new)]
    return "".join(f"{line}\n" for line in lines)


def _waived(judgement: Judgement, entry: Entry | None, today: date) -> Judgement:
    if judgement.verdict not in WAIVABLE or entry is None or not entry.reason or _is_over(entry, today):
        return judgement
    until = None if entry.expires is None else entry.expires.isoformat()
    return replace(judgement, verdict=Verdict.WAIVED, waived=Waiver(entry.reason, until))


def _problem(
    entry: Entry, verdict: Verdict | None, baseline: Baseline, rules: Collection[str], today: date
) -> Problem | None:
    for kind, told in _complaints(entry, verdict, rules, today):
        message = f"{baseline.path}, line {entry.line}: {told}."
        return Problem(kind, entry.rule, str(baseline.path), entry.line, message)
    return None


def _complaints(
    entry: Entry, verdict: Verdict | None, rules: Collection[str], today: date
) -> Iterator[tuple[Kind, str]]:
    if entry.rule not in rules:
        close = difflib.get_close_matches(entry.rule, rules, n=1)
        mend = f", or change it to {close[0]}" if close else ""
        yield Kind.UNKNOWN, f"the rule {entry.rule} does not exist; delete the line{mend}"
    if _is_stale(entry, verdict):
        yield Kind.STALE, f"{entry.rule} passes now; delete the line"
    if verdict is not None and _is_over(entry, today):
        yield (
            Kind.EXPIRED,
            f"{entry.rule} was waived until {entry.expires}; delete the line or extend the date",
        )


def _is_stale(entry: Entry, verdict: Verdict | None) -> bool:
    return verdict is Verdict.PASS and not entry.flaky


def _is_over(entry: Entry, today: date) -> bool:
    return entry.expires is not None and today > entry.expires
