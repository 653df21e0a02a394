"""Flows of frameworks that conflict with our pinned versions: each script in `scripts/` names its own environment.

uv creates it, from its cache or from the registry; if neither has the packages, the flows are skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .flows import KEY, PATIENCE
from .scripted import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*_flows.py"))
FLOWS = [
    (script.name, flow)
    for script in SCRIPTS
    for flow in re.findall(r"^def (it_\w+)", script.read_text(), re.MULTILINE)
]
INSTALLING = 180.0
"""Seconds; with an empty cache an environment takes three to ten."""

UNREACHABLE = re.compile(
    r"failed to fetch|dns error|error sending request|network|connect|timed out", re.IGNORECASE
)
# Neither this environment's packages nor its coverage measurement reach into the others.
ENV = {
    key: value
    for key, value in os.environ.items()
    if not key.startswith(("PYTHON", "COVERAGE", "VIRTUAL_ENV"))
}


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with serving() as url:
        yield url


def _uv(*arguments: str | Path, seconds: float, more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    found = shutil.which("uv")
    command = [*([found] if found else [sys.executable, "-m", "uv"]), *arguments, "--python", sys.executable]
    return subprocess.run(
        command, env=ENV | more, capture_output=True, text=True, timeout=seconds, check=False
    )


@cache
def _unreachable(path: Path) -> str:
    """Why the environment of a script is not available on this machine; "" if it is."""
    made = _uv("sync", "--quiet", "--script", path, seconds=INSTALLING, more={})
    if made.returncode and UNREACHABLE.search(made.stderr):
        return made.stderr.strip().splitlines()[-1].strip()
    assert made.returncode == 0, made.stderr
    return ""


@cache
def _said(path: Path, base_url: str) -> dict[str, str]:
    """The error of each flow of a script; "" if there was none."""
    where = {"GONOGO_TEST_BASE_URL": base_url, "GONOGO_TEST_API_KEY": KEY, "NO_PROXY": "127.0.0.1"}
    ran = _uv("run", "--quiet", "--script", path, seconds=2 * PATIENCE, more=where)
    assert ran.returncode == 0, ran.stderr
    return dict(json.loads(line) for line in ran.stdout.splitlines())


@pytest.fixture
def said(script: str, base_url: str) -> dict[str, str]:
    path = Path(__file__).parent / "scripts" / script
    if unreachable := _unreachable(path):
        pytest.skip(f"its environment cannot be installed here: {unreachable}")
    return _said(path, base_url)


@pytest.mark.parametrize(("script", "flow"), FLOWS)
def test_it_runs_the_flow(said: dict[str, str], flow: str) -> None:
    assert said[flow] == ""


@pytest.mark.parametrize("script", [script.name for script in SCRIPTS])
def test_every_flow_is_tested(said: dict[str, str], script: str) -> None:
    assert list(said) == [flow for name, flow in FLOWS if name == script]


def test_every_framework_has_flows() -> None:
    assert {name for name, _ in FLOWS} == {
        f"{client}_flows.py" for client in ("guidance", "instructor", "litellm", "llama_index", "pydantic_ai")
    }
