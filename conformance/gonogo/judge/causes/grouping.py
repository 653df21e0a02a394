"""Groups broken rules into causes: by known kinds of defects, else by the dependencies of the rules.

Grouping changes no verdict. A cause only presents several findings as one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from gonogo.clients import measured
from gonogo.judge.causes import missing
from gonogo.judge.causes.diagnoses import DIAGNOSES
from gonogo.judge.causes.observations import BROKEN, Observations, fits
from gonogo.judge.causes.refusals import FORM_OF_ERRORS
from gonogo.reasons import LOST, Reason
from gonogo.verdict import Cause, Evidence, Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from gonogo.evidence import Record
    from gonogo.judge.causes.diagnosis import Diagnosis, Sighting
    from gonogo.verdict import Because, Judgement

ECHOES = (
    "clients.*",
    "http.no_server_error",
    "http.complete",
    "http.in_time",
    "http.refused_in_time",
    "http.retry_after",
    "errors.status.streamed",
    "stream.no_error",
    "robustness.*",
    "fuzz.*",
)
"""Echoes: rules about every exchange, which are redundant if others explain all exchanges in which they are broken."""

ANYWHERE = ("http.no_server_error", "http.complete")
"""The echoes about unexpected failures: a failure elsewhere must not be hidden in a cause."""

OF_STATUS = ("http.no_server_error", "http.retry_after")
"""Echoes about the status of an error, which the form of the error does not explain."""

OPEN = frozenset({Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE})

TWINS = {
    "response": "an answer",
    "stream": "an answer",
    "request": "a request",
    "limit": "a limit",
    "chat": "an operation",
    "completions": "an operation",
    "list": "an operation",
    "streamed": "an operation",
}
"""The middle parts of an id that only name the operation or the form: rules of one section with the same ending are
equivalent."""


SAME: Final[Mapping[str, str]] = {
    "messages.stream.reason": "messages.response.stop_reason",
    "messages.tools.stream_reason": "messages.tools.reason",
    "messages.tools.any": "messages.tools.named",
    "responses.tools.streamed": "responses.tools.required",
    "responses.stream.call_item_id": "responses.call.id",
    "responses.stream.item_id": "responses.message.id",
}
"""Rules about streams, and the rule with the same requirement for a complete answer, if the ids do not show it."""

ABOUT_A_FIELD = ('"', "/", "stop_reason is ")
"""The beginning of a finding about a field of an answer: the same finding on one surface is the same defect."""


@dataclass(eq=False)
class _Group:
    """A cause under construction: the broken rules that follow from it, and the known fault if there is one."""

    judgements: list[Judgement] = field(default_factory=list)
    diagnosis: Diagnosis | None = None
    sighting: Sighting | None = None

    def exchanges_but(self, patterns: tuple[str, ...]) -> set[str]:
        """The exchanges of its broken rules, without those whose id matches one of the patterns."""
        told = [judgement for judgement in self.judgements if not fits(judgement.rule.id, patterns)]
        return {name for judgement in told for name in _exchanges(judgement)}

    @property
    def fails(self) -> bool:
        return any(judgement.verdict is Verdict.FAIL for judgement in self.judgements)

    @property
    def lead(self) -> Judgement:
        """The most relevant rule: the diagnosis's, else a must rule, else one that is not an echo."""
        named = None if self.sighting is None else self.sighting.lead
        return min(
            self.judgements,
            key=lambda j: (j.rule.id != named, fits(j.rule.id, ECHOES), j.rule.level is not Level.MUST),
        )

    @property
    def id(self) -> str:
        return self.lead.rule.id if self.diagnosis is None else self.diagnosis.id


class _Grouping:
    """Puts each broken rule into one group."""

    def __init__(self, observed: Observations) -> None:
        self.observed = observed
        self.groups: list[_Group] = []
        self.rest = observed.broken("*")

    def run(self) -> list[_Group]:
        """Assign known faults first, then rules that need a broken rule, then the rest, and echoes last."""
        for diagnosis in DIAGNOSES:
            self._diagnose(diagnosis)
        for judgement in list(self.rest):
            if judgement in self.rest:  # and was not already assigned with an earlier rule that it needs
                self._add_to_need(judgement)
        names: dict[Hashable, _Group] = {}
        for judgement in [j for j in self.rest if not fits(j.rule.id, ECHOES)]:
            self._add(judgement, self._twin(judgement, names))
        for judgement in list(self.rest):
            self._add(judgement, self._covering(judgement))
        return self.groups

    def _diagnose(self, diagnosis: Diagnosis) -> None:
        free = [judgement for judgement in self.rest if fits(judgement.rule.id, diagnosis.explains)]
        sighting = diagnosis.look(self.observed) if free else None
        if sighting is None:
            return
        where = set(sighting.exchanges)
        broad = "*" in diagnosis.explains
        follow = [judgement for judgement in free if _follows(judgement, where, broad=broad)]
        led = sighting.lead is None or any(judgement.rule.id == sighting.lead for judgement in follow)
        if follow and led:
            self.groups.append(_Group(follow, diagnosis, sighting))
            self.rest = [judgement for judgement in self.rest if judgement not in follow]
            self.observed.explained.update(judgement.rule.id for judgement in follow)

    def _add_to_need(self, judgement: Judgement) -> None:
        """Add a rule to the group of the broken rule that it needs."""
        for need in needed(judgement, self.observed.judgements):
            if need.verdict not in BROKEN or _exchanges(need).isdisjoint(_exchanges(judgement)):
                continue
            if need in self.rest:
                self._add_to_need(need)
            if need in self.rest:
                self._add(need, None)
            self._add(judgement, next(group for group in self.groups if need in group.judgements))
            return

    def _twin(self, judgement: Judgement, names: dict[Hashable, _Group]) -> _Group | None:
        """The group with the same requirement for another operation, or with the same finding in the same places."""
        known = list(_names(judgement))
        group = next((names[name] for name in known if name in names), None)
        if group is None:
            group = _Group()
            self.groups.append(group)
        names |= dict.fromkeys(known, group)
        return group

    def _covering(self, judgement: Judgement) -> _Group | None:
        """The group that covers an echo, if all groups together have all its exchanges."""
        where = _exchanges(judgement)
        said = FORM_OF_ERRORS if judgement.rule.id in OF_STATUS else ()
        covered = {id(group): where & group.exchanges_but(said) for group in self.groups}
        if not where or not where <= set().union(*covered.values()):
            return None
        return max(
            self.groups,
            key=lambda group: (len(covered[id(group)]), group.fails, -len(group.exchanges_but(()))),
        )

    def _add(self, judgement: Judgement, group: _Group | None) -> None:
        if group is None:
            group = _Group()
            self.groups.append(group)
        group.judgements.append(judgement)
        self.rest.remove(judgement)


def explain(judgements: Sequence[Judgement], record: Record) -> tuple[list[Judgement], tuple[Cause, ...]]:
    """The judgements, with the id of the cause in each broken one, and the causes, those of must rules first.

    A rule that is undecided because of a cause becomes not applicable, and has the cause's id too.
    """
    observed = Observations({j.rule.id: j for j in judgements}, {e.id: e for e in record.exchanges})
    groups = _Grouping(observed).run()
    groups.sort(key=lambda g: (all(j.verdict is not Verdict.FAIL for j in g.judgements), -len(g.judgements)))
    broken = {j.rule.id: group.id for group in groups for j in group.judgements}
    undecided = dict(_left_open(observed, groups, broken))
    undecided |= dict(_unseen(observed, groups, broken | undecided))
    linked = [_linked(_unasked(judgement, observed), broken, undecided) for judgement in judgements]
    return linked, tuple(
        _cause(g, [rule for rule, cause in undecided.items() if cause == g.id]) for g in groups
    )


def needed(judgement: Judgement, judgements: Mapping[str, Judgement]) -> Iterator[Judgement]:
    """The rules that one needs, directly and indirectly, nearest first."""
    seen: set[str] = set()
    ahead = list(judgement.rule.needs)
    while ahead:
        rule_id = ahead.pop(0)
        if rule_id in seen or rule_id not in judgements:
            continue
        seen.add(rule_id)
        yield judgements[rule_id]
        ahead += judgements[rule_id].rule.needs


def _names(judgement: Judgement) -> Iterator[Hashable]:
    """The keys by which two findings are the same: the requirement for any operation, or the same finding in the same
    places.
    """
    *section, form, last = judgement.rule.id.split(".")
    if judgement.evidence:
        yield judgement.actual, judgement.evidence
    if section[:1] in (["responses"], ["messages"]):
        yield "same", SAME.get(judgement.rule.id, judgement.rule.id)
        if (judgement.actual or "").startswith(ABOUT_A_FIELD):
            yield section[0], _without_times(judgement.actual or "")
    if form in TWINS:
        operation = section in (["completions"], ["chat"])
        yield TWINS[form], "generation" if operation else tuple(section), last


def _without_times(actual: str) -> str:
    """The finding without the pointer to its field, and without the number of further occurrences."""
    pointer = actual.startswith("/") and ': "' in actual
    return (actual.partition(": ")[2] if pointer else actual).partition(", and ")[0]


def _left_open(
    observed: Observations, groups: Sequence[_Group], broken: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """The undecided rules that a cause explains, with its id: they need a broken rule, or lack the same field."""
    for judgement in observed.judgements.values():
        if judgement.verdict not in OPEN or judgement.because is None:
            continue
        if judgement.because.reason in LOST:
            continue  # this rule did not read the request that may have stopped the target
        about = set(judgement.because.about)
        needs = [need for need in needed(judgement, observed.judgements) if need.rule.id in broken]
        cause = next((broken[n.rule.id] for n in needs if not about.isdisjoint(_exchanges(n))), None)
        cause = cause or next((group.id for group in groups if _leaves_open(group, judgement, about)), None)
        cause = cause or next((group.id for group in groups if _says_so(group, judgement.because)), None)
        if cause is not None:
            yield judgement.rule.id, cause


def _unseen(
    observed: Observations, groups: Sequence[_Group], explained: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """The rules without anything to check in any answer, if a cause explains it, with its id.

    They need a rule that the cause breaks or leaves undecided, or are among those that the known fault breaks. Such a
    rule names one of its exchanges, and the fault may have been observed in others.
    """
    for judgement in observed.judgements.values():
        if judgement.rule.id in explained or not _saw_nothing(judgement):
            continue
        needs = (need.rule.id for need in needed(judgement, observed.judgements))
        cause = next((explained[need] for need in needs if need in explained), None)
        cause = cause or next((g.id for g in groups if _breaks_some(g, judgement.rule.id)), None)
        if cause is not None:
            yield judgement.rule.id, cause


def _breaks_some(group: _Group, rule_id: str) -> bool:
    explains = () if group.diagnosis is None else group.diagnosis.explains
    return "*" not in explains and fits(rule_id, explains)


def _saw_nothing(judgement: Judgement) -> bool:
    because = judgement.because
    return judgement.verdict in OPEN and because is not None and because.reason is Reason.NOTHING_SEEN


def _unasked(judgement: Judgement, observed: Observations) -> Judgement:
    """The judgement; not applicable if the target refuses the feature and there is no other observation of it."""
    if _saw_nothing(judgement) and any(
        need.verdict is Verdict.UNSUPPORTED for need in needed(judgement, observed.judgements)
    ):
        return replace(judgement, verdict=Verdict.NOT_APPLICABLE)
    return judgement


def _leaves_open(group: _Group, judgement: Judgement, about: set[str]) -> bool:
    if group.diagnosis is None or group.sighting is None:
        return False
    return fits(judgement.rule.id, group.diagnosis.explains) and not about.isdisjoint(
        group.sighting.exchanges
    )


def _follows(judgement: Judgement, where: set[str], *, broad: bool) -> bool:
    """Whether a finding is in an exchange with the fault; for rules about failures, all its exchanges must be.

    If the defect explains nearly all findings, or the rule is about the form of any error, only the exchange of the
    finding counts, because others may have the fault too.
    """
    found = _exchanges(judgement)
    if fits(judgement.rule.id, ANYWHERE):
        return found <= where
    if broad or fits(judgement.rule.id, FORM_OF_ERRORS):
        return any(piece.exchange in where for piece in judgement.evidence[:1])
    return not found.isdisjoint(where)


def _says_so(group: _Group, because: Because) -> bool:
    """Whether a rule of the group reports, in the same exchange, the missing field of an undecided rule."""
    return any(
        missing.says_so(one.rule.id, because) and not _exchanges(one).isdisjoint(because.about)
        for one in group.judgements
    )


def _linked(judgement: Judgement, broken: Mapping[str, str], undecided: Mapping[str, str]) -> Judgement:
    rule_id = judgement.rule.id
    if rule_id in undecided:
        return replace(judgement, verdict=Verdict.NOT_APPLICABLE, cause=undecided[rule_id])
    return replace(judgement, cause=broken[rule_id]) if rule_id in broken else judgement


def _cause(group: _Group, undecided: Iterable[str]) -> Cause:
    lead = group.lead
    rules = tuple(dict.fromkeys([lead.rule.id, *(judgement.rule.id for judgement in group.judgements)]))
    if group.diagnosis is None or group.sighting is None:
        title, seen, breaks = lead.rule.title, lead.actual or "", lead.rule.why
    else:
        title, seen, breaks = group.diagnosis.title, group.sighting.seen, group.diagnosis.breaks
    breaks = "; ".join(filter(None, [breaks.removesuffix("."), measured.told(rules)]))
    return Cause(group.id, title, seen, breaks, rules, tuple(undecided), _evidence(group, lead))


def _evidence(group: _Group, lead: Judgement) -> Evidence | None:
    """The exchange to show: the first with the fault, with the offending bytes if a rule locates them."""
    pieces = [piece for judgement in (lead, *group.judgements) for piece in judgement.evidence]
    if group.sighting is None or group.sighting.lead == lead.rule.id:
        return next((piece for piece in lead.evidence if piece.position), next(iter(lead.evidence), None))
    shown = group.sighting.exchanges[0]
    at = next((piece.position for piece in pieces if piece.exchange == shown and piece.position), None)
    return Evidence(shown, group.sighting.at or at)


def _exchanges(judgement: Judgement) -> set[str]:
    return {piece.exchange for piece in judgement.evidence}
