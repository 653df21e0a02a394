"""The compiled feature files: the same rules, without parsing Gherkin."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gonogo.errors import FeatureError
from gonogo.rules import compiled
from gonogo.rules.written import read_feature

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[3]
FEATURES = sorted((ROOT / "conformance/gonogo/features").glob("*.feature"))


@pytest.fixture
def task() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_rules", ROOT / "tasks/generate_rules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def generated() -> dict[str, Any]:
    text = (resources.files("gonogo.rules") / compiled.FILE).read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_compiled_rules_equal_the_parsed_feature_files() -> None:
    read = [(file.name, read_feature(file.read_text(encoding="utf-8"), file.name)) for file in FEATURES]
    assert FEATURES
    assert list(compiled.feature_files()) == read


def test_a_file_that_was_changed_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    known = generated()
    known["models.feature"]["sha256"] = "of another text"
    known["models.feature"]["scenarios"] = []
    del known["ids.feature"]
    monkeypatch.setattr(compiled, "_compiled", lambda: known)
    found = dict(compiled.feature_files())
    for name in ("models.feature", "ids.feature"):
        assert found[name]
        assert found[name] == read_feature((FEATURES[0].parent / name).read_text(encoding="utf-8"), name)


def test_a_changed_file_without_a_reader_of_gherkin_is_one_sentence_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "gherkin.parser", None)
    with pytest.raises(FeatureError, match=r'^x\.feature was changed .* install "gonogo\[pytest\]"$'):
        read_feature("Feature: X", "x.feature")


def test_the_rules_load_without_a_reader_of_gherkin() -> None:
    code = "import sys; from gonogo.rules import load; load(fuzz=True, node=True); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert "gonogo.rules.compiled" in done.stdout.split()
    assert "gherkin" not in done.stdout.split()


def test_the_task_writes_the_file_and_finds_out_a_stale_one(
    task: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "rules.json"
    monkeypatch.setattr(task, "ROOT", tmp_path)
    monkeypatch.setattr(task, "TARGET", target)

    assert task.main(["--check"]) == 1
    assert task.main([]) == 0
    assert task.main(["--check"]) == 0
    target.write_text(target.read_text(encoding="utf-8").replace("chat.stream.done", "chat.stream.end", 1))
    capsys.readouterr()
    assert task.main(["--check"]) == 1
    assert capsys.readouterr().err == (f"rules.json is out of date; run {task.COMMAND}\n")
    assert task.main(["--write"]) == 2


def test_the_generated_file_is_what_the_feature_files_say(task: ModuleType) -> None:
    assert task.main(["--check"]) == 0
