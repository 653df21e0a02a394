"""Which profiles a target keeps: a pure function of the verdicts, for new and stored reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo.report.model import DECIDED, Gate
from gonogo.report.wording import message
from gonogo.rules import lies_under
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from gonogo.report.model import Report
    from gonogo.rules import Profile


@dataclass(frozen=True, slots=True)
class Unmet:
    """A surface that a profile requires and the target refuses: the id in the profile, and the refused rules."""

    surface: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProfileResult:
    """What was found for a profile.

    `judged` of its rules were judged, and `passed` of them passed. `failed` are broken must rules. `unsupported` are
    the surfaces that it requires and the target refuses, `undecided` those of which no rule was decided.
    `left_out` counts the rules of the profile that the run did not judge. `required` is whether the run asked for it.
    """

    name: str
    judged: int
    passed: int
    failed: tuple[str, ...] = ()
    unsupported: tuple[Unmet, ...] = ()
    undecided: tuple[str, ...] = ()
    left_out: int = 0
    required: bool = False

    @property
    def gate(self) -> Gate:
        """Go where the target holds the profile; not judged where that is not known."""
        if self.failed or self.unsupported:
            return Gate.NO_GO
        return Gate.NOT_JUDGED if self.undecided or self.left_out else Gate.GO


def profile_result(
    profile: Profile, verdicts: Mapping[str, Verdict], known: Collection[str], *, required: bool = False
) -> ProfileResult:
    """What the verdicts, by rule id, say of a profile; `known` are the ids of the rules that there are."""
    own = {rule_id: verdict for rule_id, verdict in verdicts.items() if profile.covers(rule_id)}
    missing, undecided = [], []
    for surface in profile.requires:
        found = {rule_id: own[rule_id] for rule_id in own if lies_under(rule_id, surface)}
        refused = tuple(rule_id for rule_id in found if found[rule_id] is Verdict.UNSUPPORTED)
        if refused:
            missing.append(Unmet(surface, refused))
        elif DECIDED.isdisjoint(found.values()):
            undecided.append(surface)
    return ProfileResult(
        profile.name,
        judged=len(own),
        passed=sum(verdict is Verdict.PASS for verdict in own.values()),
        failed=tuple(rule_id for rule_id, verdict in own.items() if verdict is Verdict.FAIL),
        unsupported=tuple(missing),
        undecided=tuple(undecided),
        left_out=sum(profile.covers(rule_id) for rule_id in known if rule_id not in own),
        required=required,
    )


def unmet(report: Report) -> Iterator[tuple[str, str]]:
    """The required profiles that the target does not support as asked, each with a sentence that says why."""
    for held in report.profiles:
        if held.required and held.unsupported:
            told = _refused(report, held.unsupported)
            yield (
                held.name,
                (f'The target does not support everything that the profile "{held.name}" requires: {told}.'),
            )
        elif held.required and held.undecided and not held.failed:
            told = ", ".join(held.undecided)
            yield (
                held.name,
                (f'Not everything that the profile "{held.name}" requires could be decided: {told}.'),
            )


def _refused(report: Report, missing: Iterable[Unmet]) -> str:
    """The surfaces, those that are refused for the same reason together."""
    reasons: dict[str, list[str]] = {}
    for each in missing:
        reasons.setdefault(message(report.judgement(each.rules[0])), []).append(each.surface)
    return "; ".join(f"{', '.join(surfaces)} ({reason})" for reason, surfaces in reasons.items())
