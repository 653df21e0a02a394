"""The GitHub action and the examples in docs/ci.md work: their own lines are run on a reference server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from gonogo import serving
from gonogo.baseline import read
from gonogo.cli.commands import COMMANDS, Deferred
from gonogo.rules import load
from gonogo_server.options import parser
from schemathesis.cli import run

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
GUIDE = (ROOT / "docs/ci.md").read_text()
EXPRESSION = re.compile(r"\$\{\{ *(.+?) *\}\}")
PATIENCE = 120  # seconds after which a hanging process is killed
FEW = "models\nchat.stream.done"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving.reference_server("scripted", engine="scripted") as base_url:
        yield base_url


def bash(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script as GitHub runs `shell: bash`, with this environment's gonogo and without a key."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in {"GONOGO_API_KEY", "OPENAI_API_KEY", "GITHUB_STEP_SUMMARY"}
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={**kept, "PATH": path, **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def act(folder: Path, **inputs: str) -> tuple[subprocess.CompletedProcess[str], dict[str, str], str]:
    """Run the steps of the action after the installation; returns its last result, its outputs, and the summary."""
    given = {name: str(told.get("default", "")) for name, told in ACTION["inputs"].items()}
    given |= {name.replace("_", "-"): value for name, value in inputs.items()}
    output, summary = folder / "output", folder / "summary"
    for path in (output, summary):
        path.touch()
    (step,) = [step for step in STEPS if step.get("id") == "check"]
    variables = {name: fill(value, given) for name, value in step["env"].items()}
    done = bash(step["run"], folder, GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(summary), **variables)
    outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
    return done, outputs, summary.read_text()


def fill(text: str, inputs: dict[str, str]) -> str:
    """The value of an `env` entry. Raises KeyError for an undeclared input."""
    return EXPRESSION.sub(lambda found: inputs[found[1].removeprefix("inputs.")], text)


def limit_checks(folder: Path) -> None:
    """Make unchanged commands check few rules in this folder; other tests check all of them."""
    (folder / "gonogo.toml").write_text(f"only = {FEW.splitlines()}\n")


def examples(language: str) -> list[str]:
    """The guide's fenced blocks in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def test_the_action_is_a_composite_one_that_sets_up_python_installs_itself_and_checks() -> None:
    assert ACTION["runs"]["using"] == "composite"
    assert [step.get("uses", "").partition("@")[0] or step["run"].split()[0] for step in STEPS[:2]] == [
        "actions/setup-python",
        "python",
    ]
    assert STEPS[1]["run"] == 'python -m pip install --quiet "$GITHUB_ACTION_PATH"'
    assert all(step["shell"] == "bash" for step in STEPS if "run" in step)


def test_every_input_is_used_and_none_is_part_of_a_script() -> None:
    used = {
        name
        for step in STEPS
        for value in (*step.get("env", {}).values(), *step.get("with", {}).values())
        for name in EXPRESSION.findall(value)
    }

    assert used == {f"inputs.{name}" for name in ACTION["inputs"]}
    assert [step["run"] for step in STEPS if EXPRESSION.search(step.get("run", ""))] == []


def test_a_server_that_keeps_the_contract_is_go_with_all_reports_and_a_summary(
    url: str, tmp_path: Path
) -> None:
    done, outputs, summary = act(tmp_path, base_url=url, model="scripted", only=FEW, reports="the reports")
    written = {name: tmp_path / path for name, path in outputs.items() if name != "status"}

    assert done.returncode == 0, done.stdout + done.stderr
    assert set(outputs) == set(ACTION["outputs"])
    assert outputs["status"] == "0"
    assert all(path.stat().st_size for path in written.values())
    assert json.loads(written["sarif"].read_bytes())["version"] == "2.1.0"
    assert ET.fromstring(written["junit"].read_bytes()).get("failures") == "0"
    assert summary == written["markdown"].read_text()
    assert summary.startswith("## gonogo: GO\n")
    ids = {rule["id"] for rule in json.loads(written["json"].read_bytes())["rules"]}
    assert {re.match(r"models|chat\.stream\.done$", rule_id) is not None for rule_id in ids} == {True}


def test_a_no_go_fails_the_step_and_leaves_its_reports(url: str, tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text('"chat.stream.done" = { reason = "no longer so" }\n')
    done, outputs, summary = act(tmp_path, base_url=url, only=FEW, baseline="b.toml", strict="true")

    assert done.returncode == 1
    assert outputs["status"] == "1"
    assert "- `b.toml, line 1: chat.stream.done passes now; delete the line.`\n" in summary
    assert json.loads((tmp_path / outputs["json"]).read_bytes())["strict"] is True


def test_further_arguments_are_handed_over_one_a_line_and_are_no_code(url: str, tmp_path: Path) -> None:
    arguments = "--skip=chat.stream.id\n--only\nmodels\n--evidence=it's $(touch broken).jsonl"
    done, _, _ = act(tmp_path, base_url=url, only=FEW, arguments=arguments)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "it's $(touch broken).jsonl").is_file()
    assert not (tmp_path / "broken").exists()


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"base_url": "--help"}, '"--help" is not a base URL'),
        ({"strict": "yes"}, 'The input strict must be "true" or "false", not "yes".'),
        ({"baseline": "none.toml"}, "none.toml does not exist"),
    ],
)
def test_an_option_that_cannot_be_used_fails_with_one_sentence(
    url: str, tmp_path: Path, inputs: dict[str, str], said: str
) -> None:
    done, _, _ = act(tmp_path, **{"base_url": url, "only": FEW, **inputs})

    assert done.returncode == 2
    assert said in done.stderr


def test_the_key_is_handed_over_by_the_environment(url: str, tmp_path: Path) -> None:
    done, outputs, _ = act(
        tmp_path, base_url=url, only="models", api_key="a-key-of-more-than-sixteen-letters"
    )
    recorded = (tmp_path / outputs["evidence"]).read_text()

    assert done.returncode == 0, done.stderr
    assert '["authorization","[redacted]"]' in recorded
    assert "a-key-of-more" not in recorded + done.stdout + done.stderr


def test_the_examples_for_github_give_inputs_and_take_outputs_that_exist() -> None:
    text = "\n".join(examples("yaml"))
    given = re.findall(r"^          ([a-z-]+):", text, re.MULTILINE)
    taken = re.findall(r"steps\.gonogo\.outputs\.(\w+)", text)

    assert {"base-url", "only", "arguments", "baseline"} <= set(given)
    assert set(given) - {"name", "path", "sarif_file", "category", "SARIF"} <= set(ACTION["inputs"])
    assert set(taken) <= set(ACTION["outputs"])
    assert taken


def test_the_gitlab_example_runs_and_writes_what_it_collects(url: str, tmp_path: Path) -> None:
    limit_checks(tmp_path)
    (job,) = [
        loaded["contract"] for text in examples("yaml") if "contract" in (loaded := yaml.safe_load(text))
    ]
    done = bash("\n".join(job["script"]), tmp_path, **{**job["variables"], "BASE_URL": url})
    collected = [*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]]

    assert done.returncode == 0, done.stdout
    assert all((tmp_path / name).stat().st_size for name in collected)


def test_the_shell_examples_run(url: str, tmp_path: Path) -> None:
    limit_checks(tmp_path)
    first, second, compared = examples("sh")
    done = [bash(script, tmp_path, BASE_URL=url) for script in (first, second)]
    for name in ("old.json", "new.json"):
        (tmp_path / name).write_bytes((tmp_path / "gonogo.json").read_bytes())
    done.append(bash(compared, tmp_path))

    assert [d.returncode for d in done] == [0, 0, 0], "\n".join(d.stdout + d.stderr for d in done)
    assert (tmp_path / "gonogo.md").is_file()
    assert (tmp_path / "diff.md").is_file()


def test_the_filter_for_code_scanning_removes_waived_results(tmp_path: Path) -> None:
    (line,) = re.findall(r"^ +(jq .*)$", GUIDE, re.MULTILINE)
    results = [
        {"ruleId": "a.b", "suppressions": []},
        {"ruleId": "c.d", "suppressions": [{"kind": "external"}]},
    ]
    (tmp_path / "r.sarif").write_text(json.dumps({"runs": [{"results": results}]}))
    done = bash(f"if ! command -v jq; then exit 77; fi; {line}", tmp_path, SARIF="r.sarif")
    if done.returncode == 77:
        pytest.skip("jq is not on this machine")

    assert done.returncode == 0, done.stderr
    filtered = json.loads((tmp_path / "code-scanning.sarif").read_bytes())
    assert filtered == {"runs": [{"results": results[:1]}]}


def test_the_example_of_a_baseline_is_one_and_its_rules_exist(tmp_path: Path) -> None:
    (text,) = examples("toml")
    (tmp_path / "b.toml").write_text(text)

    assert set(read(tmp_path / "b.toml").entries) == set(tomllib.loads(text))
    assert set(tomllib.loads(text)) <= set(load().ids)


def test_every_option_that_the_guide_and_the_action_name_exists() -> None:
    commands = [Deferred(name, entry).loaded() for name, entry in COMMANDS.items()]
    of_gonogo = {option for command in commands for parameter in command.params for option in parameter.opts}
    of_schemathesis = {option for parameter in run.params for option in parameter.opts}
    of_serve = options(parser().format_help())
    of_npm = re.compile(r"^npm .*$", re.MULTILINE)
    named = options(of_npm.sub("", GUIDE) + (ROOT / "action.yml").read_text())

    assert named - of_gonogo - of_schemathesis - of_serve == set()


def options(text: str) -> set[str]:
    """The long options in a text."""
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))
