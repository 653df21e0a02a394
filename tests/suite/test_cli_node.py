"""`gonogo check` and `gonogo judge` with and without Node clients."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from gonogo.clients import nodejs
from suite.clients.reading_in_node import INSTALLED, needs_packages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Run = Callable[..., Result]

OF_NODE = ("clients.openai_node", "clients.ai_sdk")
FEW = ("--only", "models", "--only", "chat.stream.done", "--only", "clients")


def rules(path: Path) -> dict[str, dict[str, Any]]:
    """The rules about Node clients in a JSON report, by id."""
    found = json.loads(path.read_bytes())["rules"]
    return {rule["id"]: rule for rule in found if rule["id"].startswith(OF_NODE)}


def test_without_a_folder_the_rules_are_left_out(gonogo: Run, clean_evidence: Path, tmp_path: Path) -> None:
    assert gonogo("judge", clean_evidence, *FEW, "--json", tmp_path / "r.json").exit_code == 0
    assert rules(tmp_path / "r.json") == {}


@pytest.mark.parametrize("selector", [*OF_NODE, "clients.ai_sdk.chat"])
def test_selecting_node_rules_without_a_folder_names_the_option(
    gonogo: Run, clean_evidence: Path, selector: str
) -> None:
    result = gonogo("judge", clean_evidence, "--only", selector)
    assert result.exit_code == 2
    assert result.stderr.strip() == (
        "The rules of clients.openai_node, clients.anthropic_node and clients.ai_sdk need --node-modules DIR, "
        "the folder in which these clients are installed."
    )


@needs_packages
def test_a_run_is_read_in_node_and_judged_the_same_again(
    gonogo: Run, reference_url: str, tmp_path: Path
) -> None:
    stored, first, second = (tmp_path / name for name in ("e.jsonl", "first.json", "second.json"))
    checked = gonogo(
        "check", reference_url, *FEW, "--node-modules", INSTALLED, "--evidence", stored, "--json", first
    )
    judged = gonogo("judge", stored, *FEW, "--node-modules", INSTALLED / "node_modules", "--json", second)
    assert (checked.exit_code, judged.exit_code) == (0, 0), checked.output
    assert rules(first) == rules(second)
    assert {rule_id for rule_id, rule in rules(first).items() if rule["verdict"] == "pass"} >= {
        "clients.openai_node.models",
        "clients.openai_node.chat_stream",
        "clients.ai_sdk.chat_stream",
        "clients.ai_sdk.errors",
    }
    assert {rule["verdict"] for rule in rules(first).values()} <= {"pass", "unsupported"}


@needs_packages
def test_a_resumed_run_also_replays_earlier_exchanges(
    gonogo: Run, reference_url: str, tmp_path: Path
) -> None:
    stored, report = tmp_path / "e.jsonl", tmp_path / "r.json"
    assert gonogo("check", reference_url, "--only", "models", "--evidence", stored).exit_code == 0
    chosen = ("--only", "models", "--only", "clients.openai_node.models")
    resumed = (*chosen, "--node-modules", INSTALLED, "--evidence", stored, "--resume", "--json", report)
    assert gonogo("check", reference_url, *resumed).exit_code == 0
    assert rules(report)["clients.openai_node.models"]["verdict"] == "pass"


@needs_packages
def test_without_node_its_rules_are_inconclusive_and_name_the_package_to_install(
    gonogo: Run, clean_evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodejs, "_program", lambda: None)
    monkeypatch.setenv("GONOGO_NODE_MODULES", str(INSTALLED))
    report = tmp_path / "r.json"
    result = gonogo("judge", clean_evidence, *FEW, "--json", report)
    assert result.exit_code == 0
    assert f"not run: {nodejs.MISSING}" in " ".join(result.stdout.split())
    assert rules(report)["clients.openai_node.models"]["verdict"] == "inconclusive"
    assert rules(report)["clients.openai_node.models"]["reason"] == "not-run"


def test_a_folder_without_the_packages_is_a_wrong_option(
    gonogo: Run, clean_evidence: Path, tmp_path: Path
) -> None:
    result = gonogo("judge", clean_evidence, *FEW, "--node-modules", tmp_path)
    assert result.exit_code == 2
    assert result.stderr.strip().endswith(nodejs.command(str(tmp_path)))
    assert "openai is missing, ai is missing" in result.stderr


def test_the_documentation_has_the_command_with_the_versions_of_the_lane() -> None:
    assert nodejs.command("node-clients") in (INSTALLED.parents[2] / "docs" / "ci.md").read_text("utf-8")
