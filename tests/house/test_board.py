"""The board under tasks/ is correct: every state is known, and a task that is done names an existing test.

A proof is a pytest node id, see `node_ids`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from .node_ids import exists

ROOT = Path(__file__).resolve().parents[2]
BOARDS = {
    "endpoint-layer": [f"{number:02}" for number in range(1, 13)],
    "server-hardening": ["0.1", "0.2", *(str(number) for number in range(1, 9))],
    "acceptance": [str(number) for number in range(1, 9)],
}
STATES = {"done", "partial", "open"}
COLUMNS = ["no.", "asked", "state", "proof", "missing"]


class Task(NamedTuple):
    """One row of a board."""

    number: str
    asked: str
    state: str
    proof: str
    missing: str


def rows(markdown: str) -> list[list[str]]:
    """The cells of every table row except the line under the head."""
    lines = (line.strip() for line in markdown.splitlines())
    table = (line[1:-1].split("|") for line in lines if line.startswith("|") and line.endswith("|"))
    cells = ([cell.strip() for cell in row] for row in table)
    return [row for row in cells if not all(re.fullmatch(":?-+:?", cell) for cell in row)]


def tasks(markdown: str) -> list[Task]:
    """The tasks of a board. Raises ValueError if its table or a row has other columns."""
    head, *rest = rows(markdown) or [[]]
    if head != COLUMNS:
        raise ValueError(f"the table's head is {head}, not {COLUMNS}")
    for row in rest:
        if len(row) != len(COLUMNS):
            raise ValueError(f"a row has {len(row)} cells, not {len(COLUMNS)}: {row}")
    return [Task(*row) for row in rest]


def findings(task: Task, root: Path = ROOT) -> list[str]:
    """The errors of a task on the board."""
    proofs = re.findall(r"`([^`]+)`", task.proof)
    found = [f"{proof}: there is no such test" for proof in proofs if not exists(proof, root)]
    if task.state not in STATES:
        found.append(f"{task.state!r} is no state; known are done, partial and open")
    if task.state == "done" and not proofs:
        found.append("done, but no test is named")
    if (task.state == "done") == bool(task.missing):
        found.append("what is missing stands there unless it is done")
    return [f"{task.number}: {finding}" for finding in found]


@pytest.mark.parametrize(("board", "numbers"), BOARDS.items(), ids=BOARDS)
def test_a_board_lists_everything_that_was_asked(board: str, numbers: list[str]) -> None:
    assert [task.number for task in tasks((ROOT / f"tasks/{board}.md").read_text())] == numbers


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_claims_nothing_that_no_test_proves(board: str) -> None:
    listed = tasks((ROOT / f"tasks/{board}.md").read_text())
    assert [finding for task in listed for finding in findings(task)] == []


@pytest.fixture
def change() -> str:
    """The tasks of the change that one of the boards is about, which may be archived."""
    (path,) = ROOT.glob("openspec/changes/**/*refactor-openai-endpoints/tasks.md")
    return path.read_text()


def test_the_tasks_of_the_change_are_those_of_the_board(change: str) -> None:
    groups = re.findall(r"^## (\d+)\. ", change, re.MULTILINE)
    assert groups == sorted({number.partition(".")[0] for number in BOARDS["server-hardening"]}, key=int)


def test_exactly_the_done_requirements_are_ticked_in_the_change(change: str) -> None:
    ticks = re.findall(r"^- \[([ x])\] (\d+\.\d+) ", change, re.MULTILINE)
    listed = tasks((ROOT / "tasks/server-hardening.md").read_text())
    assert len(ticks) > len(listed)
    for task in listed:
        boxes = {tick for tick, number in ticks if f"{number}.".startswith(f"{task.number}.")}
        assert (boxes == {"x"}) is (task.state == "done"), task.number


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_door.py").write_text(
        "def test_it_opens(): ...\nasync def test_it_shuts(): ...\ndef knock(): ...\n"
        "class TestLock:\n    def test_it_locks(self): ...\n"
        "    class TestKey:\n        def test_it_fits(self): ...\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    "name",
    ["test_it_opens", "test_it_shuts[slowly]", "TestLock::test_it_locks", "TestLock::TestKey::test_it_fits"],
)
def test_a_proof_that_exists_is_accepted(elsewhere: Path, name: str) -> None:
    assert findings(Task("1", "a door", "done", f"`tests/test_door.py::{name}`", ""), elsewhere) == []


@pytest.mark.parametrize(
    "proof",
    [
        "`tests/test_door.py::test_it_flies`",
        "`tests/test_door.py::knock`",
        "`tests/test_door.py::test_it_locks`",
        "`tests/test_door.py`",
        "`tests/test_window.py::test_it_opens`",
        "`tests/test_door.py::test_it_opens` `tests/test_door.py::test_it_flies`",
        "tests/test_door.py::test_it_opens",
        "",
    ],
)
def test_done_without_an_existing_test_is_detected(elsewhere: Path, proof: str) -> None:
    assert findings(Task("1", "a door", "done", proof, ""), elsewhere)


@pytest.mark.parametrize(
    ("state", "missing", "finding"),
    [
        ("finished", "nothing", "1: 'finished' is no state; known are done, partial and open"),
        ("open", "", "1: what is missing stands there unless it is done"),
        ("done", "the lock", "1: what is missing stands there unless it is done"),
    ],
)
def test_an_unclear_state_is_detected(elsewhere: Path, state: str, missing: str, finding: str) -> None:
    proof = "`tests/test_door.py::test_it_opens`"
    assert findings(Task("1", "a door", state, proof, missing), elsewhere) == [finding]


@pytest.mark.parametrize(
    "table", ["", "| no. | asked |\n|---|---|\n", f"| {' | '.join(COLUMNS)} |\n| 1 | a | b |\n"]
)
def test_a_board_with_another_table_is_refused(table: str) -> None:
    with pytest.raises(ValueError, match=r"head is|cells"):
        tasks(table)
