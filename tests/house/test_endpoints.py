"""The endpoint matrix in the docs matches the contract and the server."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def chore() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_endpoints", ROOT / "tasks/generate_endpoints.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_matrix_in_the_docs_is_the_generated_one(chore: ModuleType) -> None:
    assert (ROOT / "docs/endpoints.md").read_text(encoding="utf-8") == chore.matrix(), chore.COMMAND


def test_an_endpoint_without_a_route_is_not_served(
    chore: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chore, "API", ())
    assert "| `POST /chat/completions` | no | | |" in chore.matrix()


def test_a_provider_without_an_operation_is_reported(
    chore: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chore, "PROVIDERS", {"nobody": object})
    assert "| `POST /embeddings` | yes | no |" in chore.matrix()


def test_a_stale_matrix_is_shown_with_the_command_that_writes_it(
    chore: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(chore, "TARGET", tmp_path / "endpoints.md")
    assert chore.main(["--check"]) == 1
    assert chore.COMMAND in capsys.readouterr().err
    assert chore.main([]) == 0
    assert chore.main(["--check"]) == 0
