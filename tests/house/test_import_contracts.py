"""The allowed import directions hold, and each import contract can be broken."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ["conformance", "openapi", "generated", "server"]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]

# One forbidden import for each contract, and a module that could contain it by mistake.
CARELESS = {
    "the contract imports nothing of ours": ("openapi/gonogo_contract/careless.py", "gonogo.verdict"),
    "the wire models import nothing of ours": ("generated/gonogo_wire/careless.py", "gonogo_contract"),
    "the server never imports the suite": ("server/gonogo_server/careless.py", "gonogo.exchange"),
    "the suite shares the contract with the server and nothing else": (
        "conformance/gonogo/judge/careless.py",
        "gonogo_server",
    ),
    "inside the suite: command line, then report | collect | judge, then rules, stimuli, facts": (
        "conformance/gonogo/report/careless.py",
        "gonogo.judge",
    ),
    "judging, rules and reports have no network": ("conformance/gonogo/report/careless.py", "httpx2"),
    "judging and rules have no clock and no dice": ("conformance/gonogo/judge/careless.py", "time"),
    "inside the server: serving, then routes, then requests | answers, then filters, tools, engines, facts": (
        "server/gonogo_server/filters/careless.py",
        "gonogo_server.answers.stream",
    ),
    "inside the engines: each by itself, over the pool, over what all of them are": (
        "server/gonogo_server/engine/pool.py",
        "gonogo_server.engine.scripted",
    ),
    "inside the MLX engine: groups, the engine, what its thread owns, batches, sequences": (
        "server/gonogo_server/engine/mlx/batch.py",
        "gonogo_server.engine.mlx.engine",
    ),
    "protocol logic does no input and output": ("server/gonogo_server/answers/stream.py", "asyncio"),
    "the application knows engines by their Protocol only": (
        "server/gonogo_server/routes/careless.py",
        "gonogo_server.engine.scripted",
    ),
    "a gateway needs no MLX": ("server/gonogo_server/providers/upstream/careless.py", "llguidance"),
    "only the modules for it know how logs and figures are written": (
        "server/gonogo_server/routes/careless.py",
        "structlog",
    ),
    "only the server knows FastAPI": ("conformance/gonogo/collect/careless.py", "fastapi"),
    "only the server and the wire models know pydantic": ("openapi/gonogo_contract/careless.py", "pydantic"),
    "only the MLX engine knows MLX": ("server/gonogo_server/engine/careless.py", "mlx.core"),
    "only the replicas know Ray": ("server/gonogo_server/careless.py", "ray"),
    "only the fuzz module knows Schemathesis": ("conformance/gonogo/collect/careless.py", "schemathesis"),
    "only the pytest suite knows pytest": ("conformance/gonogo/judge/careless.py", "pytest_bdd"),
    "only who reads feature files knows Gherkin": ("conformance/gonogo/judge/careless.py", "gherkin"),
    "only the client lanes know the clients": ("conformance/gonogo/judge/checks/careless.py", "openai"),
}


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the packages in a folder, never on the installed ones."""
    path = os.pathsep.join(str(house / room) for room in ROOMS)
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    return subprocess.run(
        [sys.executable, "-c", command],
        cwd=house,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The output about each contract, with all forbidden imports in place: one run checks them all."""
    copy = tmp_path_factory.mktemp("house")
    for room in ROOMS:
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for module, imported in CARELESS.values():
        with (copy / module).open("a") as source:
            source.write(f"import {imported}\n")
    result = lint(copy)
    assert result.returncode == 1
    assert all(f"{contract} BROKEN" in result.stdout for contract in CARELESS)
    # After the list of contracts: the name of each broken one, an underline, and the imports that break it.
    told = re.split(r"^(.+)\n-{3,}\n", result.stdout, flags=re.MULTILINE)
    return dict(zip(told[1::2], told[2::2], strict=True))


def test_no_import_goes_against_the_directions_of_the_house() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_contract_has_a_careless_import_that_breaks_it() -> None:
    assert {contract["name"] for contract in CONTRACTS} == set(CARELESS)


@pytest.mark.parametrize("contract", CARELESS)
def test_a_careless_import_breaks_its_contract(broken: dict[str, str], contract: str) -> None:
    module, imported = CARELESS[contract]
    careless = ".".join(Path(module).with_suffix("").parts[1:])
    named = (
        imported if imported.startswith("gonogo") else imported.partition(".")[0]
    )  # other packages count as one
    assert re.search(rf"{re.escape(careless)} -> {re.escape(named)} \(l\.\d+", broken[contract])


def test_the_command_line_loads_nothing_of_the_server_before_it_serves() -> None:
    code = "import sys, gonogo.cli, gonogo.serving; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(result.stdout.split())
    assert "gonogo.cli" in loaded
    assert loaded.isdisjoint({"gonogo_server", "gonogo_wire", "fastapi", "uvicorn", "mlx", "schemathesis"})
