"""The results for profiles: a pure function of the verdicts, for new and stored reports."""

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
    """A surface that a profile requires and the target refuses: its id in the profile, and the refused rules."""

    surface: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProfileResult:
    """The result for a profile.

    `judged` and `passed` count its rules. `failed` are broken must rules. `unsupported` are the required surfaces that
    the target refuses, `undecided` those without a decided rule. `left_out` counts the rules of the profile that the
    run did not judge. `required`: the run requires the profile.
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
        """Go if the target meets the profile; not judged if that is unknown."""
        if self.failed or self.unsupported:
            return Gate.NO_GO
        return Gate.NOT_JUDGED if self.undecided or self.left_out else Gate.GO


def profile_result(
    profile: Profile, verdicts: Mapping[str, Verdict], known: Collection[str], *, required: bool = False
) -> ProfileResult:
    """The result for a profile from the verdicts by rule id; `known` are the ids of all rules."""
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
    """The required profiles that the target does not meet, each with the reason as a sentence."""
    for held in report.profiles:
        if held.required and held.unsupported:
            surfaces = _refused(report, held.unsupported)
            yield (
                held.name,
                (
                    f'The target does not support everything that the profile "{held.name}" requires: {surfaces}.'
                ),
            )
        elif held.required and held.undecided and not held.failed:
            surfaces = ", ".join(held.undecided)
            yield (
                held.name,
                (f'Not everything that the profile "{held.name}" requires could be decided: {surfaces}.'),
            )


def _refused(report: Report, missing: Iterable[Unmet]) -> str:
    """The refused surfaces, grouped by reason."""
    reasons: dict[str, list[str]] = {}
    for each in missing:
        reasons.setdefault(message(report.judgement(each.rules[0])), []).append(each.surface)
    return "; ".join(f"{', '.join(surfaces)} ({reason})" for reason, surfaces in reasons.items())
