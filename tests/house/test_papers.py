"""The commands in the documents are those of CI, and the links between documents resolve."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import gonogo_contract
import pytest
import yaml
from gonogo.cli.commands import COMMANDS, Deferred
from gonogo.rules import load
from gonogo_server.options import parser

ROOT = Path(__file__).resolve().parents[2]
CI = (ROOT / ".ci/run").read_text()
DOCS = sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))
PAPERS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tasks/README.md", "findings/README.md", *DOCS]
MADE_BY_THE_SITE = "rules/index.md"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = SETTINGS["project"]


def test_ci_ends_with_the_test_command_of_the_readme() -> None:
    (command,) = re.findall(
        r"^\$ (pip install uv && uv run pytest.*)$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    last = CI.strip().splitlines()[-2:]
    assert last == [f"{command} || tests=$?", "((tests == 0 && ${#failed[@]} == 0))"]


def test_ci_runs_the_main_command_of_the_readme() -> None:
    assert "$ pip install uv && uv run gonogo check\n" in (ROOT / "README.md").read_text()
    assert re.search(r"uv run gonogo check$", CI, re.MULTILINE)


@pytest.mark.parametrize("paper", ["README.md", *DOCS])
def test_every_command_of_a_paper_has_the_options_that_it_shows(paper: str) -> None:
    for name, arguments in _commands((ROOT / paper).read_text()):
        shown = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", arguments))
        assert shown <= _options(name), f"gonogo {name}{arguments}"


def test_the_readme_shows_the_commands_that_one_needs_first() -> None:
    assert {name for name, _ in _commands((ROOT / "README.md").read_text())} >= {
        "check",
        "judge",
        "diff",
        "serve",
    }


def _commands(text: str) -> list[tuple[str, str]]:
    """The commands in code blocks and spans: the name and its arguments."""
    blocks = re.findall(r"^```(?:text|sh|shell|bash)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    found = [*lines, *re.findall(r"`([^`\n]+)`", text)]
    pattern = r"^\s*(?:\$ )?(?:\w+=\S+ )*(?:uvx? (?:run )?)?gonogo (\w+)\b([^#|]*)"
    return [(m[1], m[2]) for line in found if (m := re.match(pattern, line)) and m[1] in COMMANDS]


def _options(name: str) -> set[str]:
    if name == "serve":  # the server parses these options
        return {*_serve_options(), "--fault"}  # the suite in front of it plays the fault
    return {"--help"} | {
        option for parameter in Deferred(name, COMMANDS[name]).loaded().params for option in parameter.opts
    }


def _serve_options() -> set[str]:
    return {option for action in parser()._actions for option in action.option_strings}


def test_the_failure_in_the_readme_is_told_as_its_rule_has_it() -> None:
    shown = (ROOT / "README.md").read_text().partition("## How to read a failure")[2]
    ((title, rule_id),) = re.findall(r"^FAIL  (.+?)  \[(\S+)\]$", shown, re.MULTILINE)
    told = dict(re.findall(r"^  (source|breaks) +(.+)$", shown, re.MULTILINE))
    (rule,) = [one.rule for one in load().scenarios if one.rule.id == rule_id]
    assert title == rule.title
    assert told == {"source": f"{rule.level}; {rule.source}", "breaks": rule.why.rstrip(".")}


def test_a_commit_runs_nothing_that_ci_does_not_run() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    entries = [hook["entry"] for repo in config["repos"] for hook in repo["hooks"]]
    assert entries
    assert [entry for entry in entries if entry not in CI] == []


def test_the_workflow_runs_the_ci_script_and_no_check_of_its_own() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    runs = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert runs == [".ci/run"]


def test_a_release_is_published_without_a_token_and_only_after_the_checks() -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text()
    jobs = yaml.safe_load(text)["jobs"]
    assert "secrets." not in text
    assert next(step["run"] for step in jobs["build"]["steps"] if "run" in step) == ".ci/run"
    assert jobs["publish"]["needs"] == "build"
    assert jobs["publish"]["permissions"]["id-token"] == "write"
    assert jobs["publish"]["environment"] == "pypi"


def test_the_ci_script_is_one_that_bash_understands() -> None:
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
    subprocess.run(["bash", "-n", ROOT / ".ci/run"], check=True, timeout=10)


@pytest.mark.parametrize("paper", PAPERS)
def test_every_link_to_a_file_leads_somewhere(paper: str) -> None:
    path = ROOT / paper
    links = set(re.findall(r"\]\(([^)#]+)\)", path.read_text())) - {MADE_BY_THE_SITE}
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


def test_every_page_of_the_documentation_is_in_its_navigation() -> None:
    text = (ROOT / "tasks/site/mkdocs.yml").read_text().partition("\nnav:")[2]
    assert set(re.findall(r": (\S+\.md)$", text, re.MULTILINE)) == {
        *(paper.removeprefix("docs/") for paper in DOCS),
        "matrix/README.md",
        MADE_BY_THE_SITE,
    }


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == PROJECT["version"]


def test_every_package_is_in_the_architecture_document() -> None:
    listed = re.findall(r"^\| `([^`]+)/` \|", (ROOT / "docs/architecture.md").read_text(), re.MULTILINE)
    packages = SETTINGS["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert set(listed) == {*packages, "openspec", "tasks", "findings", "tests"}


def test_the_endpoint_matrix_is_that_of_the_contract() -> None:
    listed = re.findall(r"^\| `([A-Z]+ /[^`]*)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    paths = gonogo_contract.document()["paths"]
    methods = {"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"}
    operations = [
        f"{method.upper()} {path}" for path, item in paths.items() for method in methods.intersection(item)
    ]
    assert sorted(listed) == sorted(operations)


def test_the_notices_carry_the_licence_that_asks_for_it() -> None:
    notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text()
    assert "Copyright (c) OpenAI" in notices
    assert "not affiliated with" in notices
    assert set(PROJECT["license-files"]) == {"LICENSE", "THIRD_PARTY_NOTICES.md"}
