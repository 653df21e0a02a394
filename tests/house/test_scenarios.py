"""Each scenario of the reference server is on the board with the tests that prove it.

Scenarios are those of its spec and of open changes to it, so that archiving a change requires no edit here. A proof is
a pytest node id, see `node_ids`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .node_ids import exists

ROOT = Path(__file__).resolve().parents[2]
BOARD = "tasks/scenarios.md"
SPEC = "specs/reference-server/spec.md"
PAPERS = [ROOT / "openspec" / SPEC, *sorted(ROOT.glob(f"openspec/changes/*/{SPEC}"))]
HEAD = ["requirement", "scenario", "proof"]

Scenario = tuple[str, str]
"""The titles of a requirement and of a scenario under it."""


def scenarios(spec: str) -> list[Scenario]:
    """Every scenario of a spec or a delta, with its requirement; one without scenarios gets an empty title."""
    found: list[Scenario] = []
    for requirement in re.split(r"^### Requirement: ", spec, flags=re.MULTILINE)[1:]:
        title = requirement.partition("\n")[0].strip()
        named = re.findall(r"^#### Scenario: (.+?)\s*$", requirement, re.MULTILINE)
        found += [(title, scenario) for scenario in named or [""]]
    return found


def proofs(board: str) -> list[tuple[Scenario, list[str]]]:
    """The rows of the board: a scenario, and the text in backticks. Raises ValueError for another table."""
    table = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in board.splitlines()
        if line.startswith("|")
    ]
    if table[:1] != [HEAD] or any(len(row) != len(HEAD) for row in table):
        raise ValueError(f"the board is a table of {HEAD}")
    return [((row[0], row[1]), re.findall(r"`([^`]+)`", row[2])) for row in table[2:]]


def findings(asked: list[Scenario], proved: list[tuple[Scenario, list[str]]], root: Path = ROOT) -> list[str]:
    """The mismatches between scenarios and the board, and proofs by tests that do not exist."""
    listed = [scenario for scenario, _ in proved]
    return [
        *(f"{scenario} stands on no row" for scenario in asked if scenario not in listed),
        *(f"{scenario} is no scenario" for scenario in listed if scenario not in asked),
        *(f"{scenario} stands twice" for scenario in dict.fromkeys(listed) if listed.count(scenario) > 1),
        *(f"{scenario} names no test" for scenario, named in proved if not named),
        *(f"{node} is no test" for _, named in proved for node in named if not exists(node, root)),
    ]


def test_every_scenario_of_the_reference_server_names_tests_that_exist() -> None:
    asked = [scenario for paper in PAPERS for scenario in scenarios(paper.read_text())]
    assert findings(asked, proofs((ROOT / BOARD).read_text())) == []


def test_every_scenario_of_the_papers_is_read() -> None:
    for paper in PAPERS:
        text = paper.read_text()
        assert len(scenarios(text)) == text.count("\n#### Scenario: ")


def test_a_requirement_without_a_scenario_is_asked_for_too() -> None:
    spec = "### Requirement: It opens\n\n### Requirement: It shuts\n\n#### Scenario: A push\n"
    assert scenarios(spec) == [("It opens", ""), ("It shuts", "A push")]


KNOCK, PUSH = ("It opens", "A knock"), ("It shuts", "A push")
OPENS, LOCKS = "tests/test_door.py::test_it_opens", "tests/test_door.py::TestLock::test_it_locks"


@pytest.mark.parametrize(
    ("proved", "found"),
    [
        ([(KNOCK, [OPENS]), (PUSH, [LOCKS, OPENS])], []),
        ([(KNOCK, [OPENS])], [f"{PUSH} stands on no row"]),
        ([(KNOCK, [OPENS]), (PUSH, [])], [f"{PUSH} names no test"]),
        ([(KNOCK, [OPENS]), (PUSH, [OPENS]), (KNOCK, [OPENS])], [f"{KNOCK} stands twice"]),
        ([(KNOCK, [OPENS]), (PUSH, [OPENS]), (("It", "flies"), [OPENS])], ["('It', 'flies') is no scenario"]),
        *(
            ([(KNOCK, [OPENS]), (PUSH, [node])], [f"{node} is no test"])
            for node in (
                "tests/test_door.py",
                "tests/test_window.py::test_it_opens",
                "tests/test_door.py::test_it_flies",
                "tests/test_door.py::test_it_locks",
                "tests/test_door.py::TestLock",
                "tests/test_door.py::knock",
            )
        ),
    ],
)
def test_inconsistencies_are_reported(
    tmp_path: Path, proved: list[tuple[Scenario, list[str]]], found: list[str]
) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_door.py").write_text(
        "async def test_it_opens(): ...\ndef knock(): ...\nclass TestLock:\n    def test_it_locks(self): ...\n"
    )
    assert findings([KNOCK, PUSH], proved, tmp_path) == found


def test_a_board_with_another_table_is_refused() -> None:
    with pytest.raises(ValueError, match="is a table of"):
        proofs("| scenario | proof |\n| --- | --- |\n")
