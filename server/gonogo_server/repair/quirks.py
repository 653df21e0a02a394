"""Quirks: the rules that an upstream breaks, and how each is handled. No I/O.

They are read from the report of `gonogo check --json`; the suite and the gateway share only the format.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gonogo_server.errors import BadSettings
from gonogo_server.repair.blame import Blame, blamed, longest
from gonogo_server.repair.table import around, chat, completions, generation
from gonogo_server.repair.table.row import Action, Does, Row

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from gonogo_server.repair.base import Document, Operation

REPORT_VERSION: Final = 2
ROWS: Final = (*chat.ROWS, *completions.ROWS, *generation.ROWS, *around.ROWS)

BROKEN: Final = frozenset({"fail", "warn", "waived"})
REFUSED: Final = frozenset({"refused", "refused-by-name", "refused-by-model", "unsupported-by-model"})
"""Reasons of `unsupported` that mean that the upstream lacks a feature."""
FAILED: Final = frozenset({"server-error", "no-answer", "not-whole"})
"""Reasons of `inconclusive` that mean that the upstream failed at a valid request."""
ABSENT: Final = "no-such-operation"
"""Reason of `unsupported`: the upstream lacks the endpoint."""
SURFACES: Final = (("responses.", Does.TRANSLATE_RESPONSES), ("messages.", Does.TRANSLATE_MESSAGES))
"""Groups of rules about endpoints that can be translated to chat completions."""
WANTED: Final = "give a file written by `gonogo check URL --json FILE`"


SET: Final = "The setting pass_on names it."


class Handling(NamedTuple):
    """A broken rule and how it is handled, in words."""

    rule: str
    action: str
    what: str


@dataclass(frozen=True, slots=True)
class Quirks:
    """How the answers of an upstream are handled; empty if it breaks no rule or was never checked."""

    does: Mapping[Does, str] = field(default_factory=dict)
    """The emulations and refusals, each with the broken rule that requires it."""
    handled: tuple[Handling, ...] = ()
    checked: tuple[str, ...] = ()
    """The ids of the models that were checked."""
    longest: Mapping[Operation, int] = field(default_factory=dict)
    """The length of the prompt that was too long, in characters, for `Does.TOO_LONG`."""
    models: Mapping[str, Quirks] = field(default_factory=dict)
    """The quirks of each model by id, if the report covers several."""

    @classmethod
    def read(cls, report: object, pass_on: Collection[str] = ()) -> Quirks:
        """The quirks of the server in a report. Raises `BadSettings` if it is not a report.

        If it covers several models, each has its own quirks; any other model gets the union of them. The rules in
        `pass_on` are left alone; raises `BadSettings` if the report lacks one of them.
        """
        rules = _rules(report)
        assert isinstance(report, dict)
        unknown = next((rule for rule in pass_on if rule not in {each["id"] for each in rules}), None)
        if unknown is not None:
            raise BadSettings(f"The setting 'pass_on' names '{unknown}', which is no rule of the report.")
        models = {
            str(_target(part).get("model")): cls.read(part, pass_on) for part in report.get("models") or ()
        }
        found = cls._of(rules, pass_on)
        return replace(found, checked=_checked(report), models=models)

    def of(self, model: str) -> Quirks:
        """The quirks of a model."""
        return self.models.get(model, self)

    @classmethod
    def _of(cls, rules: Sequence[Document], pass_on: Collection[str] = ()) -> Quirks:
        verdicts = {rule["id"]: str(rule["verdict"]) for rule in rules}
        does: dict[Does, str] = {}
        handled: list[Handling] = []
        blames = list(blamed(rules))
        named = {blame.rule for blame in blames}
        for rule in rules:
            if rule["id"] in pass_on:
                handled += (
                    [Handling(rule["id"], Action.PASSED_ON.value, SET)] if rule["verdict"] in BROKEN else []
                )
                continue
            row = None if rule["id"] in named else _row(rule, verdicts)
            if row is not None:
                handled.append(Handling(rule["id"], row.action.value, row.what))
                does |= {what: rule["id"] for what in row.does if what not in does}
            for blame in (each for each in blames if each.rule == rule["id"]):
                handled.append(_of_blame(blame))
                if blame.does is not None:
                    does.setdefault(blame.does, blame.rule)
        return cls(dict(_absent(rules)) | does, tuple(handled), longest=longest(rules))

    def table(self) -> Sequence[Handling]:
        """A row for each broken rule, for `--print-quirks`; with several models it names those concerned."""
        if not self.models:
            return self.handled
        rows: dict[Handling, list[str]] = {}
        for model, quirks in self.models.items():
            for one in quirks.handled:
                rows.setdefault(one, []).append(model)
        return [
            one if len(models) == len(self.models) else one._replace(what=f"{one.what} ({', '.join(models)})")
            for one, models in sorted(rows.items())
        ]

    def rule(self, *does: Does) -> str | None:
        """The rule that requires one of these actions; None if none is required."""
        return next((self.does[each] for each in does if each in self.does), None)


NONE: Final = Quirks()
"""The quirks of a server that was never checked."""


def action(rule: str) -> Row | None:
    """The row for a broken rule if nothing else is known; None if the tables have none."""
    return next(_fitting(rule, None, {}), None)


def _row(rule: Document, verdicts: Mapping[str, str]) -> Row | None:
    verdict, reason = rule["verdict"], rule.get("reason")
    cause = rule.get("cause")
    fitting = _fitting(
        rule["id"], cause if isinstance(cause, str) else None, verdicts, warned=verdict == "warn"
    )
    if verdict in BROKEN:
        return next(fitting, None) or Row(
            (rule["id"],), Action.PASSED_ON, "This gateway does not know the rule."
        )
    row = next(fitting, None)
    if row is None:
        return None
    if verdict == "unsupported" and reason in REFUSED and row.refused_too:
        return row
    failed = verdict == "inconclusive" and reason in FAILED and row.action is Action.REFUSED
    return row if failed else None


def _fitting(
    rule: str, cause: str | None, verdicts: Mapping[str, str], *, warned: bool = False
) -> Iterator[Row]:
    """The rows that apply to a rule, the most specific first, then in table order."""
    about = [row for row in ROWS if row.covers(rule) and not (warned and row.failed_only)]
    for row in sorted(about, key=lambda row: -row.covers(rule)):
        named = row.cause is None or row.cause == cause
        if named and (row.kept is None or verdicts.get(row.kept) == "pass"):
            yield row


def _absent(rules: Sequence[Document]) -> Iterator[tuple[Does, str]]:
    """The translations for endpoints that the upstream lacks, each with a rule that shows it."""
    for group, does in SURFACES:
        about = [rule for rule in rules if rule["id"].startswith(group)]
        lacking = next((rule["id"] for rule in about if rule.get("reason") == ABSENT), None)
        if lacking is not None and not any(rule["verdict"] in {"pass", *BROKEN} for rule in about):
            yield does, lacking


def _of_blame(blame: Blame) -> Handling:
    if blame.does is None:
        return Handling(
            blame.rule, Action.PASSED_ON.value, f"Nothing known here sets this request apart: {blame.what}"
        )
    becomes = Action.REFUSED if blame.does.value.startswith("refuse-") else Action.EMULATED
    return Handling(blame.rule, becomes.value, blame.what)


def _target(report: Document) -> Document:
    found = report.get("target")
    return found if isinstance(found, dict) else {}


def _checked(report: Document) -> tuple[str, ...]:
    targets = [_target(part) for part in (*(report.get("models") or ()), report)]
    named = [target.get(name) for name in ("model", "embedding_model") for target in targets]
    return tuple(dict.fromkeys(name for name in named if isinstance(name, str) and name))


def _rules(report: object) -> Sequence[Document]:
    if not isinstance(report, dict) or "report_version" not in report:
        raise BadSettings(f"This is not a gonogo report: {WANTED}.")
    version: Any = report["report_version"]
    if version != REPORT_VERSION:
        raise BadSettings(
            f"The report has version {version}, but this gateway reads version {REPORT_VERSION}: check "
            "the server again with this version of gonogo, `gonogo check URL --json FILE`."
        )
    rules = report.get("rules")
    if not isinstance(rules, list) or not rules or not all(_is_rule(rule) for rule in rules):
        raise BadSettings(f"The report lacks the verdicts of the rules: {WANTED}, unchanged.")
    return rules


def _is_rule(rule: object) -> bool:
    return isinstance(rule, dict) and isinstance(rule.get("id"), str) and isinstance(rule.get("verdict"), str)
