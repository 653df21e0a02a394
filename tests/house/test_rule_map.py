"""Each requirement of the contract names its checks, and each rule of the suite checks exactly one requirement."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from gonogo.rules import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
SPEC = "openspec/specs/contract/spec.md"
REQUIREMENT = re.compile(r"^### Requirement: (.+)$", re.MULTILINE)
CHECKED_BY = re.compile(r"^Checked by: (.+?)\.$(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"`([^`]+)`")


def checkers(spec: str) -> dict[str, list[str]]:
    """The line "Checked by:" of each requirement, by its title; empty without such a line."""
    _, *parts = REQUIREMENT.split(spec)
    bodies = dict(zip(parts[::2], parts[1::2], strict=True))
    return {
        title: [name for line in CHECKED_BY.findall(body) for name in NAME.findall(line)]
        for title, body in bodies.items()
    }


def findings(checked: Mapping[str, Sequence[str]], rules: Iterable[str], root: Path = ROOT) -> list[str]:
    """The mismatches between requirements and rules; paths of tests are relative to `root`."""
    ids = list(rules)
    patterns = [(title, name) for title, names in checked.items() for name in names if "/" not in name]
    paths = [(title, name) for title, names in checked.items() for name in names if "/" in name]
    return [
        *(f'"{title}" names nothing that checks it' for title, names in checked.items() if not names),
        *(
            f'"{title}" names {path}, which is not there'
            for title, path in paths
            if not (root / path).is_file()
        ),
        *(
            f'"{title}" names {pattern}, which no rule is called'
            for title, pattern in patterns
            if not any(fnmatchcase(rule, pattern) for rule in ids)
        ),
        *(finding for rule in ids for finding in _rule_findings(rule, patterns)),
    ]


def _rule_findings(rule: str, patterns: Iterable[tuple[str, str]]) -> list[str]:
    titles = [f'"{title}"' for title, pattern in patterns if fnmatchcase(rule, pattern)]
    if not titles:
        return [f'{rule} checks no requirement: name it in a line "Checked by:" of {SPEC}']
    return [f"{rule} is named more than once, in {' and '.join(titles)}"] if len(titles) > 1 else []


def test_every_requirement_names_what_checks_it_and_every_rule_checks_exactly_one() -> None:
    checked = checkers((ROOT / SPEC).read_text())
    assert findings(checked, load(fuzz=True, node=True).ids) == []


def test_every_requirement_of_the_contract_is_read() -> None:
    text = (ROOT / SPEC).read_text()
    assert len(checkers(text)) == text.count("\n### Requirement: ")


SMALL = """\
### Requirement: A door opens
The door SHALL open.

Checked by: `door.*`, `window.glass`,
`tests/test_door.py`.

#### Scenario: Somebody knocks
- **THEN** it opens

### Requirement: It closes
The door SHALL close.

#### Scenario: Somebody leaves
Checked by: nobody
"""


def test_the_names_are_read_from_one_line_or_several() -> None:
    assert checkers(SMALL) == {
        "A door opens": ["door.*", "window.glass", "tests/test_door.py"],
        "It closes": [],
    }


@pytest.mark.parametrize(
    ("checked", "found"),
    [
        ({"A": ["a.*"], "B": ["b.one", "b.two"]}, []),
        ({"A": ["a.*"], "B": ["b.*", "c.*"]}, ['"B" names c.*, which no rule is called']),
        (
            {"A": ["a.*"], "B": ["b.one"]},
            [f'b.two checks no requirement: name it in a line "Checked by:" of {SPEC}'],
        ),
        ({"A": ["a.*"], "B": ["b.*", "b.two"]}, ['b.two is named more than once, in "B" and "B"']),
        ({"A": ["*.one"], "B": ["b.*"]}, ['b.one is named more than once, in "A" and "B"']),
        ({"A": ["*"], "B": []}, ['"B" names nothing that checks it']),
        ({"A": ["*", "tests/a.py"]}, ['"A" names tests/a.py, which is not there']),
    ],
)
def test_inconsistencies_are_reported(
    checked: dict[str, list[str]], found: list[str], tmp_path: Path
) -> None:
    assert findings(checked, ["a.one", "b.one", "b.two"], tmp_path) == found
