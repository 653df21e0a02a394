"""Every `gonogo` command in README and docs is run, with the URL and the models of a server on loopback."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme
from click.testing import CliRunner
from gonogo import running, serving
from gonogo.cli import app
from gonogo.collection import Approach
from gonogo.rules import load
from gonogo.running import Selection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

ROOT = Path(__file__).resolve().parents[2]
PAPERS = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
MODELS = ("my-model", "small", "large", "code", "d")
"""The models in the commands."""
FEW = ("--only", "models")
"""The rules that commands check here; the others are tested elsewhere."""
ELSEWHERE = {
    "gonogo check": ".ci/run",
    "gonogo check --discover": "tests/suite/test_discovery.py",
    "gonogo check http://127.0.0.1:4000/v1 --upstream-faults --upstream-port 9100 --json gateway.json": (
        "tests/suite/test_cli_upstream.py"
    ),
}
"""Commands that need a user's machine, and the test file that runs them."""
ADDRESS = re.compile(
    r"\$BASE_URL|https?://[^/\s]+(?:/lab)?/v1\b|https://my\.openai\.azure\.com/openai/deployments/d"
)


def _commands() -> Iterator[str]:
    for paper in PAPERS:
        text = (ROOT / paper).read_text()
        for block in re.findall(r"^```(?:text|sh|shell|bash)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                # The output of a command may begin with the name and the version.
                if found := re.match(
                    r"(?:\$ )?(?:pip install uv && )?(?:uv run )?(gonogo(?: [a-z].*)?)$", line
                ):
                    yield " ".join(re.sub(r"\s+#.*|\s*(?:>|\|\|).*", "", found[1]).split())


COMMANDS = sorted(set(_commands()))


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with serving.reference_server(*MODELS, engine="scripted") as url:
        yield url


@pytest.fixture(scope="module")
def files(base_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that exist by the time of a command."""
    folder = tmp_path_factory.mktemp("files")
    evidence = folder / "run.jsonl"
    running.check(
        Approach(base_url, models=("small",), evidence=evidence), Selection(only=("models",)), load()
    )
    shutil.copyfile(evidence, folder / "gonogo.jsonl")
    report = folder / "report.json"
    judged = _run("judge", str(evidence), "--json", str(report))
    assert judged.exit_code == 0, judged.output
    for name in ("old", "new", "mine", "older", "theirs", "lab", "behind"):
        labelled = json.loads(report.read_text())
        labelled["label"] = name
        (folder / f"{name}.json").write_text(json.dumps(labelled))
    (folder / "gonogo-baseline.toml").touch()
    (folder / "node-clients").symlink_to(ROOT / "tests/clients/node")
    trustme.CA().cert_pem.write_to_path(folder / "corporate-ca.pem")
    return folder


@pytest.fixture
def folder(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with these files."""
    shutil.copytree(files, tmp_path, symlinks=True, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AZURE_KEY", "a-key")
    for variable in ("GONOGO_API_KEY", "OPENAI_API_KEY", "GONOGO_NODE_MODULES", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, prog_name="gonogo")


def test_the_commands_that_other_files_run_are_in_the_docs() -> None:
    assert ELSEWHERE.keys() <= set(COMMANDS)
    assert [path for path in ELSEWHERE.values() if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize("command", [one for one in COMMANDS if one not in ELSEWHERE])
def test_a_command_of_the_docs_runs_and_writes_its_files(command: str, base_url: str, folder: Path) -> None:
    if "node-clients" in command and not (folder / "node-clients/node_modules").is_dir():
        pytest.skip("the packages of the Node clients are not installed: npm ci --prefix tests/clients/node")
    _, name, *arguments = shlex.split(command)
    if name == "check":
        arguments = [ADDRESS.sub(base_url, one) for one in arguments]
        arguments += [] if "--profile" in arguments else FEW  # they exclude each other
        arguments += [] if "--model" in arguments else ["--model", "small"]
    elif name == "serve":
        arguments.append("--print-config")
    if "--evidence" in arguments:  # an existing file is not overwritten
        (folder / arguments[arguments.index("--evidence") + 1]).unlink()
    result = _run(name, *arguments)

    assert result.exit_code == 0, result.output
    written = [one for one in arguments if re.search(r"\.(json|jsonl|html|md|xml|sarif)$", one)]
    assert [one for one in written if not (folder / one.rpartition("=")[2]).stat().st_size] == []
