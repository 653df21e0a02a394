"""The package gonogo_wire is exactly what the generator makes of the contract."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import gonogo_wire
from gonogo_contract import document

ROOT = Path(__file__).resolve().parents[2]
SMALL = """
openapi: 3.2.0
info: {title: Small, version: "1"}
paths: {}
components:
  schemas:
    Word: {type: object, required: [text], properties: {text: {type: string}}}
"""


def generate(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "tasks/generate_models.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def clone(root: Path) -> Path:
    """Copy the generator and its settings beside a small contract, so that a test can change its output."""
    for name in (
        "pyproject.toml",
        "tasks/large_requests.py",
        "tasks/generate_models.py",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, root / name)
    contract = root / "openapi/gonogo_contract/openapi.yaml"
    models = root / "generated/gonogo_wire/__init__.py"
    for path in (contract, models):
        path.parent.mkdir(parents=True)
    contract.write_text(SMALL)
    return models


def test_generating_again_changes_no_byte() -> None:
    done = generate(ROOT, "--check")
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_a_change_by_hand_is_found_shown_and_undone(tmp_path: Path) -> None:
    models = clone(tmp_path)
    assert generate(tmp_path).returncode == 0
    original = models.read_bytes()
    models.write_bytes(original + b"# by hand\n")
    found = generate(tmp_path, "--check")
    assert found.returncode == 1
    assert b"class Word(" in original
    assert "-# by hand" in found.stdout + found.stderr
    assert generate(tmp_path).returncode == 0
    assert models.read_bytes() == original


def test_every_component_has_a_model_of_its_name_and_there_are_no_others() -> None:
    # A name that is not in the contract would be one that the generator invented for an inline schema.
    public = {
        name for name, value in vars(gonogo_wire).items() if getattr(value, "__module__", "") == "gonogo_wire"
    }
    assert public - {"BaseModel"} == set(document()["components"]["schemas"])
