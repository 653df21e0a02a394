"""Compares two stored reports: which rules got worse, got better, appeared or disappeared.

The comparison is about the target. A waived rule counts as broken, because clients break on it anyway. A rule that is
undecided or not applicable is neither worse nor better; but a rule that is broken now and was not known to be broken
before is worse.

Reports on several models are compared model by model; one report may cover more models than the other.
"""

from __future__ import annotations

import copy
import functools
import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from gonogo.errors import UsageError
from gonogo.report.json import REPORT_VERSION, schema
from gonogo.report.markdown import code, prose, table
from gonogo.report.wording import visible
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Rules = dict[str, dict[str, Any]]

DIFF_VERSION = 1

OLDER = 1
"""The version of reports without causes, reasons and witnesses, which a comparison does not need."""
NOT_IN_OLDER = {"causes", "cause", "reason", "values", "witnesses", "not-applicable"}
SILENT = frozenset({Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE})
"""Verdicts without an observation: a change between them is no difference."""
LEVELS = ("must", "should", "may")

# The effect on clients by verdict; other verdicts have no observation.
SUFFERING = {Verdict.PASS: 0, Verdict.UNSUPPORTED: 1, Verdict.WARN: 2, Verdict.FAIL: 3}
BROKEN = {"must": Verdict.FAIL, "should": Verdict.WARN, "may": Verdict.UNSUPPORTED}


class Change(StrEnum):
    """How a rule changed between two reports."""

    WORSE = "worse"
    BETTER = "better"
    APPEARED = "appeared"
    WENT_AWAY = "went away"
    OTHER = "other"  # another verdict that is neither worse nor better


TITLES = {
    Change.WORSE: "Worse",
    Change.BETTER: "Better",
    Change.APPEARED: "Appeared: rules that only the new report has",
    Change.WENT_AWAY: "Disappeared: rules that only the old report has",
    Change.OTHER: "Changed, neither worse nor better",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One rule that two reports judge differently; a verdict is None if its report lacks the rule.

    `message` is from the new report, or from the old one for a rule that disappeared. `models` are the models
    concerned, if a report covers several.
    """

    change: Change
    id: str
    title: str
    level: str
    old: str | None
    new: str | None
    message: str
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences of two reports, grouped by kind; `notes` are sentences about other differences."""

    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    gates: tuple[str, str]
    same: int

    @property
    def is_worse(self) -> bool:
        """Whether something got worse."""
        return bool(self.of(Change.WORSE))

    def of(self, change: Change) -> list[Difference]:
        """The differences of one kind, those of must rules first, otherwise in rule order."""
        return [difference for difference in self.differences if difference.change is change]


def read(path: Path) -> dict[str, Any]:
    """The JSON report in a file. Raises UsageError, naming the file, if it is unreadable or of an unknown version."""
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON; give a report written by gonogo check --json.") from error
    if not isinstance(found, dict) or "report_version" not in found:
        raise UsageError(f"{path} is not a report; give one written by gonogo check --json.")
    version = found["report_version"]
    if version not in (OLDER, REPORT_VERSION) or isinstance(version, bool):
        raise UsageError(
            f"{path} has report version {version!r}; this gonogo reads versions {OLDER} and {REPORT_VERSION}."
        )
    damage = next(jsonschema_rs.validator_for(_schema(int(version))).iter_errors(found), None)
    if damage is not None:
        raise UsageError(f"{path} is a damaged report: {damage.message}.")
    return found


@functools.cache
def _schema(version: int) -> dict[str, Any]:
    """The schema of a report version: the older one does not require the members that were added later."""
    if version == REPORT_VERSION:
        return schema()
    older = copy.deepcopy(schema())
    older["properties"]["report_version"] = {"const": OLDER}
    for part in (older, older["properties"]["totals"], older["$defs"]["rule"]):
        part["required"] = [name for name in part["required"] if name not in NOT_IN_OLDER]
    return older


def compare(old: dict[str, Any], new: dict[str, Any]) -> Comparison:
    """The differences between two reports, as `read` returns them."""
    found: dict[tuple[object, ...], Difference] = {}
    ids: set[str] = set()
    for model, before, after in _pairs(old, new):
        ids |= before.keys() | after.keys()
        for rule_id in dict.fromkeys((*after, *before)):
            difference = _difference(before.get(rule_id), after.get(rule_id))
            if difference is None:
                continue
            alike = (difference.change, rule_id, difference.old, difference.new)
            known = found.setdefault(alike, difference)
            if model is not None:
                found[alike] = replace(known, models=(*known.models, model))
    kinds = list(Change)
    ordered = tuple(sorted(found.values(), key=lambda d: (kinds.index(d.change), LEVELS.index(d.level))))
    same = len(ids) - len({difference.id for difference in ordered})
    return Comparison(ordered, tuple(_notes(old, new)), (old["verdict"], new["verdict"]), same)


def _pairs(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str | None, Rules, Rules]]:
    """The rules of both reports by id, for each model that both cover.

    The model is None if both reports cover a single model, even different ones. Raises UsageError if they share none.
    """
    if "models" not in old and "models" not in new:
        yield None, _rules(old), _rules(new)
        return
    before, after = _by_model(old), _by_model(new)
    both = [model for model in after if model in before]
    if not both:
        raise UsageError(
            f"The reports have no model in common: {', '.join(before)} before, {', '.join(after)} now."
        )
    for model in both:
        yield model, _rules(before[model]), _rules(after[model])


def _by_model(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {str(part["target"]["model"]): part for part in report.get("models", [report])}


def _rules(report: dict[str, Any]) -> Rules:
    return {rule["id"]: rule for rule in report["rules"]}


def document(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain JSON values."""
    return {
        "diff_version": DIFF_VERSION,
        "worse": comparison.is_worse,
        "verdict": {"old": comparison.gates[0], "new": comparison.gates[1]},
        "notes": list(comparison.notes),
        "same": comparison.same,
        "differences": [asdict(difference) for difference in comparison.differences],
    }


def render_json(comparison: Comparison) -> str:
    """The JSON text, indented, ASCII only, with a trailing line break."""
    return json.dumps(document(comparison), indent=1, allow_nan=False) + "\n"


def render_text(comparison: Comparison) -> str:
    """The text for a terminal or a log, with a trailing line break; the verdict is the last line."""
    return "\n".join(_text(comparison)) + "\n"


def render_markdown(comparison: Comparison) -> str:
    """The Markdown text, with a trailing line break."""
    return "\n".join(_markdown(comparison)) + "\n"


def _difference(old: dict[str, Any] | None, new: dict[str, Any] | None) -> Difference | None:
    rule = new or old
    assert rule is not None
    if old is not None and new is not None and _is_same(old["verdict"], new["verdict"]):
        return None
    change = Change.APPEARED if old is None else Change.WENT_AWAY if new is None else _change(old, new)
    return Difference(
        change,
        rule["id"],
        rule["title"],
        rule["level"],
        None if old is None else old["verdict"],
        None if new is None else new["verdict"],
        rule["message"],
    )


def _is_same(old: str, new: str) -> bool:
    return old == new or {old, new} <= SILENT


def _change(old: dict[str, Any], new: dict[str, Any]) -> Change:
    before, after = _suffering(old), _suffering(new)
    if after is None:
        return Change.OTHER
    if before is None:
        return Change.WORSE if after > SUFFERING[Verdict.UNSUPPORTED] else Change.OTHER
    return Change.WORSE if after > before else Change.BETTER if after < before else Change.OTHER


def _suffering(rule: dict[str, Any]) -> int | None:
    verdict = Verdict(rule["verdict"])
    return SUFFERING.get(BROKEN[rule["level"]] if verdict is Verdict.WAIVED else verdict)


def _notes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Notes about differences in versions, target and models, which affect the comparison."""
    compared = {
        "gonogo": (old["gonogo"], new["gonogo"]),
        "rule set": (old.get("rule_set"), new.get("rule_set")),
        "target": (old["target"]["base_url"], new["target"]["base_url"]),
        "model": tuple(", ".join(_by_model(report)) for report in (old, new)),
    }
    for name, (before, after) in compared.items():
        if before != after and None not in (before, after):  # reports from before rule sets have none
            yield f"The reports differ in {name}: {before} before, {after} now."


def _text(comparison: Comparison) -> Iterator[str]:
    for note in comparison.notes:
        yield visible(note)
    for change, title in TITLES.items():
        found = comparison.of(change)
        if found:
            yield f"{title} ({len(found)}):"
        for difference in found:
            whose = f"  ({visible(', '.join(difference.models))})" if difference.models else ""
            yield f"  {difference.id}  {_turn(difference)}  {visible(difference.title)}{whose}"
            if difference.new != Verdict.PASS:
                yield f"    {visible(difference.message)}"
    yield _answer(comparison)


def _markdown(comparison: Comparison) -> Iterator[str]:
    yield f"## gonogo diff: {'worse' if comparison.is_worse else 'not worse'}"
    yield ""
    yield _answer(comparison)
    for note in comparison.notes:
        yield ""
        yield code(note)
    for change, title in TITLES.items():
        found = comparison.of(change)
        if found:
            yield ""
            yield f"### {title}"
            several = any(d.models for d in found)
            rows = [
                [
                    code(d.id),
                    _turn(d),
                    prose(d.title),
                    code(d.message),
                    *([code(", ".join(d.models))] * several),
                ]
                for d in found
            ]
            yield from table(["rule", "verdict", "requirement", "found", *(["models"] * several)], rows)


def _turn(difference: Difference) -> str:
    return f"{difference.old or 'absent'} -> {difference.new or 'absent'}"


def _answer(comparison: Comparison) -> str:
    counts = ", ".join(f"{len(comparison.of(change))} {change.value}" for change in list(Change)[:4])
    old, new = comparison.gates
    return f"{counts}, {comparison.same} unchanged; the gate was {old} and is {new}."
