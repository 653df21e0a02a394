"""The documents under openspec/ have the format that `openspec validate --strict` requires; needs no Node.

The rules are those of OpenSpec 1.13: a purpose of at least 50 characters, SHALL or MUST in the body of every
requirement, at least one scenario under it with exactly four hashes, and no name twice.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted(ROOT.glob("openspec/specs/*/spec.md"))
CHANGES = sorted(path.parent for path in ROOT.glob("openspec/changes/**/proposal.md"))
"""Open changes, and those under archive/."""
DELTA = re.compile(r"(ADDED|MODIFIED|REMOVED|RENAMED) Requirements")


class Section(NamedTuple):
    """A heading and the lines up to the next one."""

    level: int
    title: str
    body: str


def sections(markdown: str) -> list[Section]:
    """Every heading of a document with the text directly under it."""
    parts = re.split(r"^(#{1,6})[ \t]+(.+)$", markdown, flags=re.MULTILINE)
    return [
        Section(len(hashes), title.strip(), body.strip())
        for hashes, title, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    ]


def body_of(markdown: str, title: str) -> str | None:
    """The text under the second-level heading; None without such a heading."""
    return next((s.body for s in sections(markdown) if (s.level, s.title) == (2, title)), None)


def requirement_findings(markdown: str) -> list[str]:
    """The errors in the requirements of a spec, or of a delta that adds or changes them."""
    found: list[str] = []
    names: list[str] = []
    scenarios: dict[str, int] = {}
    for level, title, body in sections(markdown):
        if level == 3 and title.startswith("Requirement:"):
            names.append(title)
            scenarios[title] = 0
            if not re.search(r"\b(SHALL|MUST)\b", body):
                found.append(f"{title}: neither SHALL nor MUST in its body")
        elif title.startswith("Scenario:"):
            if level != 4 or not names:
                found.append(f"{title}: a scenario has four hashes and stands under a requirement")
            else:
                scenarios[names[-1]] += 1
            found += [f"{title}: no {word}" for word in ("WHEN", "THEN") if f"- **{word}** " not in body]
    found += [f"{name}: no scenario" for name, count in scenarios.items() if not count]
    found += [f"{name}: named twice" for name in scenarios if names.count(name) > 1]
    return found if names else [*found, "no requirement"]


def spec_findings(markdown: str) -> list[str]:
    """The errors of a spec file."""
    found = requirement_findings(markdown)
    if len(body_of(markdown, "Purpose") or "") < 50:
        found.append("Purpose: missing or under 50 characters")
    if body_of(markdown, "Requirements") is None:
        found.append("Requirements: missing")
    return found


def change_findings(change: Path) -> list[str]:
    """The errors of a change: its proposal, its tasks, and its requirements."""
    found: list[str] = []
    proposal = (change / "proposal.md").read_text()
    found += [
        f"proposal.md: no {title}"
        for title in ("Why", "What Changes", "Capabilities", "Impact")
        if body_of(proposal, title) is None
    ]
    if not 50 <= len(body_of(proposal, "Why") or "") <= 1000:
        found.append("proposal.md: Why has 50 to 1000 characters")
    tasks = change / "tasks.md"
    if not tasks.is_file() or not re.search(r"^- \[[ x]\] \d+\.\d+ \S", tasks.read_text(), re.MULTILINE):
        found.append("tasks.md: no task of the form '- [ ] 1.1 What is to be done'")
    deltas = sorted(change.glob("specs/*/spec.md"))
    if not deltas:
        found.append("specs: no delta")
    for delta in deltas:
        text = delta.read_text()
        titles = [s.title for s in sections(text) if s.level == 2 and s.title != "Purpose"]
        if not titles or not all(DELTA.fullmatch(title) for title in titles):
            found.append(f"{delta.parent.name}: a section is no delta of Requirements")
        found += [f"{delta.parent.name}: {finding}" for finding in requirement_findings(text)]
    return found


GOOD = """\
# Door

## Purpose

A door keeps the weather out and lets people in when they knock.

## Requirements

### Requirement: It opens
The door SHALL open.

#### Scenario: Somebody knocks
- **WHEN** somebody knocks
- **THEN** the door opens
"""


def test_the_capabilities_that_the_project_promises_are_there() -> None:
    assert {path.parent.name for path in SPECS} >= {
        "contract",
        "conformance-suite",
        "reference-server",
        "command-line",
        "gateway",
        "scale",
    }


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.parent.name)
def test_a_spec_keeps_the_format(path: Path) -> None:
    assert spec_findings(path.read_text()) == []


@pytest.mark.parametrize("path", CHANGES, ids=lambda path: path.name)
def test_a_change_keeps_the_format(path: Path) -> None:
    assert change_findings(path) == []


def test_a_spec_without_faults_has_no_findings() -> None:
    assert spec_findings(GOOD) == []


@pytest.mark.parametrize(
    ("before", "after", "finding"),
    [
        (
            "A door keeps the weather out and lets people in",
            "Door",
            "Purpose: missing or under 50 characters",
        ),
        ("## Purpose", "## Aim", "Purpose: missing or under 50 characters"),
        ("## Requirements", "## Wishes", "Requirements: missing"),
        ("SHALL", "should", "Requirement: It opens: neither SHALL nor MUST in its body"),
        ("It opens\nThe", "It SHALL open\nThe", None),
        ("#### Scenario", "### Scenario", "Requirement: It opens: no scenario"),
        ("#### Scenario", "##### Scenario", "Requirement: It opens: no scenario"),
        ("- **THEN** ", "- then ", "Scenario: Somebody knocks: no THEN"),
        ("### Requirement: It opens", "### It opens", "no requirement"),
    ],
)
def test_an_invalid_spec_is_detected(before: str, after: str, finding: str | None) -> None:
    assert before in GOOD
    findings = spec_findings(GOOD.replace(before, after))
    assert finding in findings if finding else findings == []


def test_a_requirement_named_twice_is_found_out() -> None:
    twice = GOOD + GOOD[GOOD.index("### Requirement") :]
    assert "Requirement: It opens: named twice" in spec_findings(twice)


@pytest.mark.parametrize(
    ("name", "text", "finding"),
    [
        ("proposal.md", "## Why\n\nBecause.\n", "proposal.md: Why has 50 to 1000 characters"),
        ("proposal.md", "## Why\n\nBecause.\n", "proposal.md: no Impact"),
        ("tasks.md", "- Do it\n", "tasks.md: no task of the form '- [ ] 1.1 What is to be done'"),
        (
            "specs/door/spec.md",
            GOOD,
            "door: a section is no delta of Requirements",
        ),
        ("specs/door/spec.md", "## ADDED Requirements\n", "door: no requirement"),
    ],
)
def test_an_invalid_change_document_is_detected(tmp_path: Path, name: str, text: str, finding: str) -> None:
    why = "The door does not open, and the people outside have been standing in the rain."
    good = {
        "proposal.md": f"## Why\n\n{why}\n\n## What Changes\n\n## Capabilities\n\n## Impact\n",
        "tasks.md": "- [ ] 1.1 Open the door\n",
        "specs/door/spec.md": GOOD[GOOD.index("## Requirements") :].replace(
            "## Requirements", "## ADDED Requirements"
        ),
    }
    (tmp_path / "specs/door").mkdir(parents=True)
    for path, content in good.items():
        (tmp_path / path).write_text(content)
    assert change_findings(tmp_path) == []
    (tmp_path / name).write_text(text)
    assert finding in change_findings(tmp_path)
