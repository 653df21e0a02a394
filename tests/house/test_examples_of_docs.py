"""The Python and TOML examples in the documentation are run unchanged, except for the URL."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

from gonogo import serving
from gonogo.cli.check import check
from gonogo.cli.config_file import defaults

DOCS = Path(__file__).resolve().parents[2] / "docs"
APP = """
from gonogo_server.compose import application
from gonogo_server.engine.scripted import ScriptedEngine
from gonogo_server.settings import read

app = application(ScriptedEngine(), read({}))
"""


def _blocks(paper: str, language: str) -> list[str]:
    text = (DOCS / paper).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_first_example_in_python_prints_the_verdict() -> None:
    example = _blocks("python.md", "python")[0]
    with (
        serving.reference_server("scripted", engine="scripted") as url,
        contextlib.redirect_stdout(io.StringIO()) as out,
    ):
        exec(example.replace("http://127.0.0.1:8000/v1", url), {})

    assert out.getvalue() == "go 0\n"


def test_the_example_with_an_app_of_ones_own_passes_in_pytest(tmp_path: Path) -> None:
    example = _blocks("python.md", "python")[1].replace(
        "gonogo.check(base_url)", 'gonogo.check(base_url, only=["models"])'
    )
    (tmp_path / "test_contract.py").write_text(example)
    (tmp_path / "my_server.py").write_text(APP)
    # Importing the plugins of our environment, which the example does not need, takes half of the time.
    options = ["-q", "-p", "no:cacheprovider", "--import-mode=prepend", "--disable-plugin-autoload"]
    command = [sys.executable, "-m", "pytest", *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)

    assert "1 passed" in done.stdout, done.stdout


def test_the_file_of_options_in_the_docs_is_one_that_check_reads(tmp_path: Path) -> None:
    (file,) = _blocks("checking.md", "toml")
    (tmp_path / "gonogo.toml").write_text(file)

    assert defaults(tmp_path / "gonogo.toml", check)["models"] == ["small", "large"]
