"""The matrix as one HTML page: a column for each server, a row for each rule, folded by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gonogo.report.html.bars import Part, bar
from gonogo.report.html.page import SCRIPTS, STYLES, page
from gonogo.report.matrix import SIGNS
from gonogo.rules import profiles
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gonogo.report.matrix import Group, Matrix, Row, Server

BROKEN = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.WAIVED})
MOST_SHOWN = 600  # characters of expected and actual; the report has the rest


@dataclass(frozen=True, slots=True)
class Cell:
    """The verdict on one rule for one server; the cell of a broken rule can be opened, and has an id for this."""

    verdict: Verdict | None
    sign: str
    said: str
    opens: str | None
    details: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the page."""

    row: Row
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """A group's result for one server: the parts of its bar, and the same as text."""

    parts: tuple[Part, ...]
    short: str
    said: str
    rank: float


@dataclass(frozen=True, slots=True)
class Section:
    """A group of the page."""

    name: str
    slug: str
    shares: tuple[Share, ...]
    lines: tuple[Line, ...]
    differing: int


def render(matrix: Matrix) -> str:
    """The page as text, with a trailing line break."""
    return page(
        "matrix.html",
        styles=(*STYLES, "matrix.css"),
        scripts=(*SCRIPTS, "matrix.js"),
        servers=matrix.servers,
        bars=[bar(server.totals) for server in matrix.servers],
        notes=list(matrix.notes),
        profiles=profiles(),
        sections=[_section(group, matrix) for group in matrix.groups],
        signs={verdict.value: sign for verdict, sign in SIGNS.items()},
        rules=sum(len(group.rows) for group in matrix.groups),
    )


def _section(group: Group, matrix: Matrix) -> Section:
    lines = tuple(
        Line(row, tuple(_cell(row, index, server) for index, server in enumerate(matrix.servers)))
        for row in group.rows
    )
    shares = tuple(_share(group, index) for index, _ in enumerate(matrix.servers))
    differing = sum(row.differs for row in group.rows)
    return Section(group.name, group.name.replace(".", "-"), shares, lines, differing)


def _share(group: Group, index: int) -> Share:
    totals = group.totals(index)
    decided = sum(totals.values()) - totals[Verdict.NOT_APPLICABLE] - totals[Verdict.INCONCLUSIVE]
    said = ", ".join(f"{number} {verdict.value}" for verdict, number in totals.items()) or "not judged"
    short = f"{totals[Verdict.PASS]}/{decided}" if decided else "·"
    return Share(bar(totals), short, said, totals[Verdict.PASS] / decided if decided else -1)


def _cell(row: Row, index: int, server: Server) -> Cell:
    found = row.cells[index]
    if found is None:
        return Cell(None, "", "not judged", None, {})
    verdict = Verdict(found["verdict"])
    if verdict is Verdict.PASS or verdict is Verdict.NOT_APPLICABLE:
        return Cell(verdict, SIGNS[verdict], verdict.value, None, {})
    return Cell(
        verdict,
        SIGNS[verdict],
        verdict.value,
        f"c{index}-{row.id.replace('.', '-')}",
        dict(_details(found, server)),
    )


def _details(found: Mapping[str, Any], server: Server) -> Iterator[tuple[str, str]]:
    """The content of an opened cell, by label."""
    if Verdict(found["verdict"]) not in BROKEN or found["expected"] is None:
        yield "found", _cut(found["message"])
        return
    yield "expected", _cut(found["expected"])
    yield "actual", _cut(found["message"])
    cause = next(
        (cause for cause in server.report.get("causes", ()) if cause["id"] == found.get("cause")), None
    )
    if cause is not None and cause["title"] != found["title"]:
        yield "cause", cause["title"]
    position = found["position"]
    where = f"byte {position['offset']}: {position['excerpt']}" if position else ""
    yield "evidence", _cut(", ".join(filter(None, (", ".join(found["exchanges"][:1]), where))))
    if cause is not None:
        yield "breaks", _cut(cause["breaks"])
    if found["curl"]:
        yield "repeat it", _cut(found["curl"])


def _cut(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
