"""The built wheel, installed without extras in a fresh environment, is a complete conformance suite and no more.

uv builds and installs it; after `uv sync` on the same machine, everything that it needs is in its cache.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXTRAS_ONLY = [
    "mlx",
    "mlx_lm",
    "fastapi",
    "starlette",
    "uvicorn",
    "schemathesis",
    "openai",
    "httpx_sse",
    "pydantic",
    "pytest",
    "pytest_bdd",
    "gherkin",
]
# Neither this environment's packages nor its coverage measurement reach into the fresh one.
ENV = {
    key: value
    for key, value in os.environ.items()
    if not key.startswith(("PYTHON", "COVERAGE", "VIRTUAL_ENV"))
}


def run(*command: str | Path) -> str:
    """The stdout of a command, which must succeed."""
    result = subprocess.run(
        command, cwd=ROOT, env=ENV, capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def uv(*arguments: str | Path) -> str:
    """Run uv, from PATH or from this environment."""
    found = shutil.which("uv")
    return run(*([found] if found else [sys.executable, "-m", "uv"]), *arguments)


def brought(environment: Path, packages: list[str]) -> str:
    """Those of these packages that an environment has, as Python prints the list."""
    code = f"import importlib.util; print([name for name in {packages!r} if importlib.util.find_spec(name)])"
    return run(environment / "python", "-c", code).strip()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    uv("build", "--wheel", "--quiet", "--out-dir", folder)
    (built,) = folder.glob("gonogo-*.whl")
    return built


@pytest.fixture(scope="module")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base") / "venv"
    uv("venv", "--quiet", "--python", sys.executable, folder)
    uv("pip", "install", "--quiet", "--python", folder / "bin/python", wheel)
    return folder / "bin"


@pytest.fixture(scope="module")
def contents(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_carries_every_rule(contents: set[str]) -> None:
    features = {
        path.relative_to(ROOT / "conformance").as_posix()
        for path in (ROOT / "conformance").rglob("*.feature")
    }
    assert features
    assert features <= contents


def test_the_wheel_carries_the_scripts_of_the_lane_for_node_and_no_package(contents: set[str]) -> None:
    carried = {name.removeprefix("gonogo/clients/node/") for name in contents if "/clients/node/" in name}
    assert carried == {"clients.mjs", "lane.mjs", "package.json", "surfaces.mjs"}


def test_the_wheel_carries_the_rules_as_data_and_their_examples(contents: set[str]) -> None:
    assert {"gonogo/rules/rules.json", "gonogo/rules/examples.json"} <= contents


def test_the_wheel_registers_no_pytest_plugin(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt"))
        assert re.findall(r"^\[(.*)\]$", archive.read(name).decode(), re.MULTILINE) == ["console_scripts"]


def test_the_wheel_carries_the_contract_and_the_types(contents: set[str]) -> None:
    assert "gonogo_contract/openapi.yaml" in contents
    for package in ("gonogo", "gonogo_contract", "gonogo_wire", "gonogo_server"):
        assert f"{package}/py.typed" in contents


def test_the_wheel_carries_the_licence_and_the_notices(contents: set[str]) -> None:
    names = {name.partition(".dist-info/licenses/")[2] for name in contents}
    assert {"LICENSE", "THIRD_PARTY_NOTICES.md"} <= names


def test_the_wheel_carries_nothing_but_the_four_packages(contents: set[str]) -> None:
    tops = {name.partition("/")[0] for name in contents}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "gonogo",
        "gonogo_contract",
        "gonogo_wire",
        "gonogo_server",
    }


def test_the_base_imports(base: Path) -> None:
    assert run(base / "python", "-c", "import gonogo; print(gonogo.__version__)").strip()


def test_the_base_prints_its_help(base: Path) -> None:
    assert "check" in run(base / "gonogo", "--help")


def test_the_base_lists_its_rules(base: Path) -> None:
    assert "chat.stream.done" in run(base / "gonogo", "rules")


@pytest.fixture(scope="module")
def brought_by_base(base: Path) -> str:
    return brought(base, EXTRAS_ONLY)


@pytest.mark.parametrize("package", EXTRAS_ONLY)
def test_the_base_brings_nothing_that_an_extra_is_for(brought_by_base: str, package: str) -> None:
    assert repr(package) not in brought_by_base


@pytest.fixture(scope="module")
def gateway(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gateway") / "venv"
    uv("venv", "--quiet", "--python", sys.executable, folder)
    uv("pip", "install", "--quiet", "--python", folder / "bin/python", f"{wheel}[gateway]")
    return folder / "bin"


def test_the_extra_for_a_gateway_serves_without_mlx(gateway: Path) -> None:
    assert brought(gateway, ["mlx", "mlx_lm", "llguidance", "numpy", "tokenizers", "transformers"]) == "[]"
    shown = run(gateway / "gonogo", "serve", "--provider", "lab=http://127.0.0.1:1", "--print-config")
    assert json.loads(shown)["providers"]["lab"]["url"] == ["http://127.0.0.1:1/v1"]
    code = (
        "from gonogo_server.compose import providers; from gonogo_server.app import create_app;"
        " from gonogo_server.settings import read; made = read({'providers': ['lab=http://127.0.0.1:1']});"
        " print(callable(create_app(providers(made, None), made)))"
    )
    assert run(gateway / "python", "-c", code).strip() == "True"


def test_a_gateway_says_what_is_missing_where_it_is_to_compute(gateway: Path) -> None:
    result = subprocess.run(
        [gateway / "gonogo", "serve", "--model", "x"],
        env=ENV,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert "MLX is not installed" in result.stderr


def test_the_extra_for_pytest_runs_the_rules_in_pytest(wheel: Path, tmp_path: Path) -> None:
    python = tmp_path / "venv/bin/python"
    uv("venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    uv("pip", "install", "--quiet", "--python", python, f"{wheel}[pytest]")
    config = tmp_path / "pytest.ini"
    config.write_text("[pytest]\n")
    options = ("-c", config, "-p", "gonogo.suite.options", "--pyargs", "gonogo.suite")
    collected = run(python, "-m", "pytest", *options, "--collect-only", "-q", "-k", "chat.stream.done")
    assert "1/" in collected.splitlines()[-1]
