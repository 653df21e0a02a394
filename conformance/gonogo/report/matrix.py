"""Compares several stored reports rule by rule."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gonogo.report.markdown import code, prose, table
from gonogo.report.model import Gate
from gonogo.report.profile_results import profile_result
from gonogo.report.wording import visible
from gonogo.rules import profiles
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MATRIX_VERSION = 1
UNDECIDED = frozenset({Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE})
"""Verdicts without an observation, which comparisons ignore."""
SIGNS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.WARN: "!",
    Verdict.UNSUPPORTED: "○",
    Verdict.INCONCLUSIVE: "?",
    Verdict.NOT_APPLICABLE: "·",
    Verdict.WAIVED: "w",
    Verdict.ERROR: "E",
}


@dataclass(frozen=True)
class Server:
    """One column: a report, or its part for one of several models.

    `label` names the server and its version. `rules` are the rules of the report by id.
    """

    label: str
    report: Mapping[str, Any] = field(repr=False)

    @cached_property
    def rules(self) -> dict[str, dict[str, Any]]:
        """The rules of the report by id."""
        return {rule["id"]: rule for rule in self.report["rules"]}

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdict on each rule."""
        return {rule_id: Verdict(rule["verdict"]) for rule_id, rule in self.rules.items()}

    @property
    def gate(self) -> Gate:
        """The verdict of the run."""
        return Gate(self.report["verdict"])

    @property
    def date(self) -> str:
        """The day of the run, ISO 8601."""
        return str(self.report["started"])[:10]

    @property
    def models(self) -> str:
        """The checked models."""
        target = self.report["target"]
        return ", ".join(str(model) for model in (target["model"], target["embedding_model"]) if model)

    @property
    def totals(self) -> Counter[Verdict]:
        """The number of rules with each verdict."""
        return Counter(self.verdicts.values())

    @cached_property
    def profiles(self) -> dict[str, Gate]:
        """The verdict on each profile, by the rules of the report; not judged if the report has none of its rules."""
        stored = {held["name"]: Gate(held["verdict"]) for held in self.report.get("profiles", ())}
        return {
            profile.name: stored.get(profile.name) or profile_result(profile, self.verdicts, self.rules).gate
            for profile in profiles()
        }


@dataclass(frozen=True)
class Row:
    """One rule: a cell for each server, None if its report lacks the rule."""

    id: str
    title: str
    level: str
    cells: tuple[dict[str, Any] | None, ...]

    @property
    def differs(self) -> bool:
        """Whether the servers with a decided verdict have different ones."""
        seen = {
            cell["verdict"] for cell in self.cells if cell is not None and cell["verdict"] not in UNDECIDED
        }
        return len(seen) > 1


@dataclass(frozen=True)
class Group:
    """The rules of a group."""

    name: str
    rows: tuple[Row, ...]

    def totals(self, index: int) -> Counter[Verdict]:
        """The number of rules of the group with each verdict, for the server with this index."""
        cells = (row.cells[index] for row in self.rows)
        return Counter(Verdict(cell["verdict"]) for cell in cells if cell is not None)


@dataclass(frozen=True)
class Matrix:
    """Servers by rules."""

    servers: tuple[Server, ...]
    groups: tuple[Group, ...]

    @property
    def notes(self) -> Iterator[str]:
        """Warnings about the comparison: reports with different versions or rule sets."""
        for key, name in (("gonogo", "gonogo versions"), ("rule_set", "rule sets")):
            found = list(dict.fromkeys(str(server.report.get(key, "unknown")) for server in self.servers))
            if len(found) > 1:
                yield f"The reports have different {name}: {', '.join(found)}."


def servers_of(report: Mapping[str, Any], label: str) -> Iterator[Server]:
    """The columns of a report: one, or one for each of several models."""
    parts = report.get("models")
    if not parts:
        yield Server(label, report)
        return
    for part in parts:
        yield Server(f"{label}, {part['target']['model']}", part)


def label_of(report: Mapping[str, Any]) -> str:
    """The name of the target in a report: the label of the run, or else the URL."""
    return str(report.get("label") or report["target"]["base_url"])


def build(servers: Iterable[Server]) -> Matrix:
    """The matrix of these servers; the rules in the order of the first report that has them."""
    columns = tuple(servers)
    rules = {rule_id: rule for server in reversed(columns) for rule_id, rule in server.rules.items()}
    order = dict.fromkeys(rule_id for server in columns for rule_id in server.rules)
    groups: dict[str, list[Row]] = {}
    for rule_id in order:
        rule = rules[rule_id]
        cells = tuple(server.rules.get(rule_id) for server in columns)
        groups.setdefault(rule["group"], []).append(Row(rule_id, rule["title"], rule["level"], cells))
    return Matrix(columns, tuple(Group(name, tuple(rows)) for name, rows in groups.items()))


# ---- text and Markdown ---------------------------------------------------------------------------------------


def render_text(matrix: Matrix) -> str:
    """A line for each server and each note, with a trailing line break."""
    lines = [visible(note) for note in matrix.notes]
    widest = max(len(visible(server.label)) for server in matrix.servers)
    for server in matrix.servers:
        held = ", ".join(name for name, gate in server.profiles.items() if gate is Gate.GO) or "none"
        label = visible(server.label)
        lines.append(
            f"{label:<{widest}}  {server.gate.value:<10}  {_counts(server.totals)}; profiles held: {held}"
        )
    differing = sum(row.differs for group in matrix.groups for row in group.rows)
    rules = sum(len(group.rows) for group in matrix.groups)
    count = len(matrix.servers)
    lines.append(
        f"{count} servers, {rules} rules; the servers differ in {differing}."
        if count > 1
        else f"1 server, {rules} rules; give a second report to compare."
    )
    return "\n".join(lines) + "\n"


def render_markdown(matrix: Matrix) -> str:
    """The matrix as GitHub Markdown: servers, groups, and every broken rule, with a trailing line break."""
    return "\n".join(_markdown(matrix)) + "\n"


def render_json(matrix: Matrix) -> str:
    """The matrix as JSON: servers, and for each rule their verdicts in this order, with a trailing line break."""
    document = {
        "matrix_version": MATRIX_VERSION,
        "servers": [
            {
                "label": server.label,
                "models": server.models,
                "date": server.date,
                "gonogo": server.report["gonogo"],
                "verdict": server.gate.value,
                "profiles": {name: gate.value for name, gate in server.profiles.items()},
            }
            for server in matrix.servers
        ],
        "rules": {
            row.id: [None if cell is None else cell["verdict"] for cell in row.cells]
            for group in matrix.groups
            for row in group.rows
        },
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _markdown(matrix: Matrix) -> Iterator[str]:
    yield "# gonogo: servers by rules"
    for note in matrix.notes:
        yield ""
        yield prose(note)
    names = [profile.name for profile in profiles()]
    yield from table(
        ["", "server", "model", "checked", "verdict", "rules", *names],
        [
            [
                str(number),
                code(server.label),
                code(server.models),
                server.date,
                server.gate.value,
                _counts(server.totals),
                *(server.profiles[name].value for name in names),
            ]
            for number, server in enumerate(matrix.servers, 1)
        ],
    )
    yield "Passed and decided rules by group; ✗ counts broken must rules."
    heads = [str(number) for number, _ in enumerate(matrix.servers, 1)]
    yield from table(
        ["group", *heads],
        [
            [f"`{group.name}`", *(_share(group.totals(index)) for index, _ in enumerate(matrix.servers))]
            for group in matrix.groups
        ],
    )
    yield (
        "Rules broken by at least one server (✗ must rule, ! should rule, ○ unsupported, ? undecided, · "
        "not applicable):"
    )
    yield from table(
        ["rule", "", *heads],
        [
            [f"`{row.id}`", prose(row.title), *(_sign(cell) for cell in row.cells)]
            for group in matrix.groups
            for row in group.rows
            if any(cell is not None and cell["verdict"] in (Verdict.FAIL, Verdict.WARN) for cell in row.cells)
        ],
    )
    for server in matrix.servers:
        yield from _findings(server)


def _findings(server: Server) -> Iterator[str]:
    """Each cause, folded: the source of the requirement, the observation, and the bytes at its position."""
    causes = server.report.get("causes", [])
    if causes:
        yield f"<details><summary>{prose(visible(server.label))}: {len(causes)} causes</summary>"
        yield from table(
            ["verdict", "cause", "source", "seen", "bytes", "rules"],
            [
                [
                    cause["verdict"],
                    prose(cause["title"]),
                    prose(_source(cause, server)),
                    code(cause["seen"]),
                    _bytes(cause),
                    str(len(cause["rules"])),
                ]
                for cause in causes
            ],
        )
        yield "</details>"
        yield ""


def _source(cause: Mapping[str, Any], server: Server) -> str:
    """The source of the first rule that a cause breaks; empty if the report has none."""
    rules = (server.rules.get(rule_id, {}) for rule_id in cause["rules"])
    return next((f"{rule['level']}; {rule['source']}" for rule in rules if rule.get("source")), "")


def _bytes(cause: Mapping[str, Any]) -> str:
    """The offset in the body and the text there; empty for a cause without a position."""
    place = cause.get("position")
    return f"{place['offset']}: {code(place['excerpt'])}" if place else ""


def _counts(totals: Counter[Verdict]) -> str:
    shown = {
        Verdict.FAIL: "failed",
        Verdict.WARN: "warned",
        Verdict.PASS: "passed",
        Verdict.UNSUPPORTED: "unsupported",
    }
    return ", ".join(f"{totals[verdict]} {word}" for verdict, word in shown.items())


def _share(totals: Counter[Verdict]) -> str:
    decided = sum(number for verdict, number in totals.items() if verdict not in UNDECIDED)
    if not decided:
        return "·"
    if totals[Verdict.UNSUPPORTED] == decided:
        return "○"
    failed = f" ✗{totals[Verdict.FAIL]}" if totals[Verdict.FAIL] else ""
    return f"{totals[Verdict.PASS]}/{decided}{failed}"


def _sign(cell: Mapping[str, Any] | None) -> str:
    return "" if cell is None else SIGNS[Verdict(cell["verdict"])]
