# ruff: noqa: INP001 - a script: MkDocs loads it by its path
"""Generate a page for every rule and every group when the site is built (a hook of MkDocs).

Id, level, source and steps come from the features, the examples from those of `gonogo explain`, and the servers that
break a rule from the reports in `docs/matrix/`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gonogo.rules import load
from gonogo.rules.examples import Example, examples
from mkdocs.structure.files import File

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gonogo.rules import Scenario
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

REPORTS = Path(__file__).resolve().parents[1] / "docs" / "matrix"
MARKUP = {ord(mark): f"&#{ord(mark)};" for mark in "&\\`*_[]<>|#{}"}
"""Characters with a meaning in Markdown, and their escapes."""
BROKEN = frozenset({"fail", "warn"})


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the rules to the files of the site."""
    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def pages() -> dict[str, str]:
    """The pages of the rules by path in the site."""
    scenarios = load(fuzz=True, node=True).scenarios
    groups: dict[str, list[Scenario]] = defaultdict(list)
    for scenario in scenarios:
        groups[scenario.rule.id.partition(".")[0]].append(scenario)
    found = {"rules/index.md": _index(groups)}
    found |= {f"rules/{name}.md": _group(name, members) for name, members in groups.items()}
    return found | {f"rules/{one.rule.id}.md": "\n".join(_page(one)) for one in scenarios}


def _index(groups: Mapping[str, list[Scenario]]) -> str:
    rows = (f"| [{name}]({name}.md) | {len(members)} |" for name, members in groups.items())
    total = sum(map(len, groups.values()))
    head = f"# Rules\n\n{total} rules. The id of a rule is what `--only`, `--skip` and a baseline take.\n"
    return "\n".join([head, "| group | rules |", "| --- | --- |", *rows, ""])


def _group(name: str, members: list[Scenario]) -> str:
    rows = (f"| [{m.rule.id}]({m.rule.id}.md) | {m.rule.level} | {_inline(m.rule.title)} |" for m in members)
    return "\n".join([f"# {name}", "", "| rule | level | requires |", "| --- | --- | --- |", *rows, ""])


def _page(scenario: Scenario) -> Iterator[str]:
    rule = scenario.rule
    yield f"---\ntitle: {rule.id}\nsearch:\n  boost: 0.5\n---\n"
    yield f"# {_inline(rule.title)}\n"
    yield f"| id | `{rule.id}` |\n| --- | --- |"
    yield f"| level | {rule.level} |"
    yield f"| source | {_inline(rule.source)} |"
    yield f"| why | {_inline(rule.why)} |"
    yield f"| since | rule set {rule.since}{f', until {rule.until}' if rule.until else ''} |"
    if rule.needs:
        yield f"| needs | {', '.join(f'[{need}]({need}.md)' for need in rule.needs)} |"
    yield "\n## How it is checked\n"
    yield _code("\n".join(rule.steps))
    yield from _example(examples().get(rule.id))
    yield from _failing(rule.id)
    yield f"\nCheck it alone: `gonogo check URL --only {rule.id}`\n"


def _example(found: Example | str | None) -> Iterator[str]:
    if found is None:
        return
    yield "\n## Examples\n"
    if isinstance(found, str):
        yield f"None is shown: {_inline(found)}"
        return
    yield f"A good answer to `{found.asked}`:\n"
    yield _code(found.good)
    yield f'\nA bad one, as with the fault "{_inline(found.fault)}" ({_inline(found.imitates)}):\n'
    yield _code(found.bad)
    yield f"\n| expected | {_inline(found.expected)} |\n| --- | --- |\n| actual | {_inline(found.actual)} |"


def _failing(rule_id: str) -> Iterator[str]:
    servers = _broken().get(rule_id, [])
    if servers:
        yield "\n## Servers of the matrix that break it\n"
        yield from (f"* {_inline(server)}" for server in servers)


@cache
def _broken() -> dict[str, list[str]]:
    """The servers of the published matrix that break each rule, by rule id; a report is named after its server."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(REPORTS.glob("*.json")):
        report = json.loads(path.read_text(encoding="utf-8"))
        for rule in report.get("rules", ()):
            if rule.get("verdict") in BROKEN:
                found[rule["id"]].append(f"{path.stem} ({rule['verdict']})")
    return found


def _code(text: str) -> str:
    """A fenced block; the text may contain fences itself."""
    return f"`````text\n{text}\n`````"


def _inline(text: str) -> str:
    """Text for a table cell: markup is escaped, and line breaks are removed."""
    return " ".join(text.translate(MARKUP).split())
