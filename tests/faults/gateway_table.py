"""The page about faults behind the gateway, generated from their outcomes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from faults.behind_gateway import Outcome
from gonogo.faults.sections import SECTIONS
from gonogo_server.repair.quirks import action

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from faults.behind_gateway import Entry

COMMAND: Final = "uv run python tasks/play_through_gateway.py"
PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "gateway-faults.md"
COLUMNS: Final = (Outcome.GO, Outcome.REFUSED, Outcome.ERROR, Outcome.PASSED_ON, Outcome.HANG)
HEAD: Final = f"""# Faults behind the gateway

Generated from `tests/faults/behind_gateway.json`; do not edit by hand. `{COMMAND}` plays them.

A scripted upstream plays every fault of the suite that breaks a must rule and shows on the wire. The upstream is the
reference server on the scripted engine, with the fault applied to its answers. The report of `gonogo check` about it
becomes the quirks of a gateway in front of it, and the gateway is then checked against three sets of rules: those
that the upstream breaks directly, those that the fault is meant to break, and those about requests that make a server
fail (`http.survives`, `http.no_server_error`, `http.complete`).

| outcome | meaning |
| --- | --- |
| go | no must rule is broken behind the gateway |
| refused | a must rule is broken because the gateway or the upstream refuses the request with 4xx |
| ends in an error | a must rule is broken because the answer is an error: 5xx, or the last event of a stream |
| passed on | a must rule is broken, and the client receives the wrong answer as if it were correct |
| hang | an answer did not arrive within five seconds |
"""


def page(entries: Mapping[str, Entry]) -> str:
    """The page in Markdown."""
    lines = [HEAD, *_counts(entries), "", "## Not go", "", *_not_go(entries)]
    return "\n".join([*lines, "", "## Go, but not passed", "", *_open(entries), ""])


def _counts(entries: Mapping[str, Entry]) -> Iterator[str]:
    yield f"| faults | number | {' | '.join(COLUMNS)} |"
    yield f"| --- | {' | '.join(['---'] * (len(COLUMNS) + 1))} |"
    for section in SECTIONS:
        names = [fault.name for fault in section.FAULTS if fault.name in entries]
        if names:
            about = (section.__doc__ or "").partition("\n")[0].removesuffix(".").removeprefix("Faults ")
            yield _row(about.partition(" ")[2], entries, names)
    yield _row("all", entries, entries)
    yield ""
    yield f"{_share(entries):.1%} are go. Faults that are not listed here have not been played yet."


def _row(about: str, entries: Mapping[str, Entry], names: Iterable[str]) -> str:
    count = Counter(entries[name]["outcome"] for name in names)
    return f"| {about} | {count.total()} | {' | '.join(str(count[column]) for column in COLUMNS)} |"


def _share(entries: Mapping[str, Entry]) -> float:
    return sum(entry["outcome"] == Outcome.GO for entry in entries.values()) / len(entries)


def _not_go(entries: Mapping[str, Entry]) -> Sequence[str]:
    rows = [
        f"| {_cell(name)} | {', '.join(entry.get('broken', {}))} | {entry['outcome']} | {_why(entry)} |"
        for name, entry in entries.items()
        if entry["outcome"] != Outcome.GO
    ]
    return [
        "| fault | broken behind the gateway | outcome | what the gateway does |",
        "| --- | --- | --- | --- |",
        *rows,
    ]


def _open(entries: Mapping[str, Entry]) -> Sequence[str]:
    """The faults for which the gateway is go because the feature is refused by name, or ends in an error."""
    rows = [
        f"| {_cell(name)} | {rule} | {verdict} | {_does(rule)} |"
        for name, entry in entries.items()
        if entry["outcome"] == Outcome.GO
        for rule, verdict in entry.get("open", {}).items()
    ]
    said = (
        "The gateway refuses by name what the rule checks, or answers with an error, so the rule neither passes nor "
        "fails."
    )
    return [
        said,
        "",
        "| fault | rule | verdict | what the gateway does |",
        "| --- | --- | --- | --- |",
        *rows,
    ]


def _why(entry: Entry) -> str:
    """The gateway tables' description for the rules that the fault breaks alone, or else for those still broken."""
    rules = [*entry.get("open", {}), *entry.get("broken", {})]
    return next((said for rule in rules if (said := _does(rule))), "")


def _does(rule: str) -> str:
    row = action(rule)
    return "" if row is None else row.what


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
