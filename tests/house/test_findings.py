"""A finding is a self-contained script that states what it found and pins the versions.

None is run here, because they install packages.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "findings"
SCRIPTS = sorted(FOLDER.glob("*.sh"))
HEAD = ["What", "Versions", "Expected", "Seen", "Matters", "Valid because"]
ONE_VERSION = re.compile(
    r"[a-z][a-z0-9-]*(\[[a-z0-9]+\])?==[0-9][a-z0-9.]*|(@[a-z0-9-]+/)?[a-z][a-z0-9-]*@[0-9][0-9.]*"
)

each = pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)


def packages(text: str) -> list[str]:
    """The packages that a script installs: the arguments of `uv pip install` and `npm install`, without options."""
    found: list[str] = []
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True) if re.match(r"\s*(uv pip|npm) install ", line) else []
        after_option = [False, *(word == "--python" for word in words)]
        named = zip(words, after_option, strict=False)
        found += [word for word, is_value in named if not is_value and not word.startswith("-")][
            3 if words[:1] == ["uv"] else 2 :
        ]
    return found


def test_there_are_findings() -> None:
    assert len(SCRIPTS) >= 5


@each
def test_a_finding_is_a_script_that_bash_understands(script: Path) -> None:
    assert script.stat().st_mode & 0o111
    assert script.read_text().startswith("#!/usr/bin/env bash\n")
    subprocess.run(["bash", "-n", script], check=True, timeout=10)


@each
def test_its_head_says_what_was_found_and_why_the_input_is_valid(script: Path) -> None:
    head = script.read_text().partition("\nset -euo pipefail\n")[0]
    fields = re.findall(r"^# ([A-Z][a-z ]+): \S", head, re.MULTILINE)
    assert fields == HEAD


@each
def test_it_stops_at_an_error_and_leaves_nothing_behind(script: Path) -> None:
    first = script.read_text().partition("\nset -euo pipefail\n")[2].splitlines()[:3]
    assert first == ["work=$(mktemp -d)", "trap 'rm -rf \"$work\"' EXIT", 'cd "$work"']


@each
def test_it_pins_every_package_and_names_its_version(script: Path) -> None:
    text = script.read_text()
    installed = packages(text)
    assert installed
    assert [name for name in installed if not ONE_VERSION.fullmatch(name)] == []
    told = re.findall(r"^# Versions: (.+(?:\n#   .+)*)", text, re.MULTILINE)[0]
    versions = [re.split("==|@", name)[-1] for name in installed if not name.startswith("numpy==")]
    assert [version for version in versions if version not in told] == []


@each
def test_it_compares_what_it_sees_with_what_it_states_and_runs_no_longer_than_bounded(script: Path) -> None:
    text = script.read_text()
    assert re.search(r"^stated=", text, re.MULTILINE)
    assert re.search(r"^seen=\$\(timeout \d+ ", text, re.MULTILINE)
    assert text.endswith('  exit 1\nfi\necho "as stated: $seen"\n')


@each
def test_it_runs_without_gonogo(script: Path) -> None:
    assert "gonogo" not in script.read_text()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("uv pip install --quiet --python venv/bin/python a==1 'b[cpu]==2'", ["a==1", "b[cpu]==2"]),
        ("uv pip install --python venv/bin/python \\\n  a==1 \\\n  b", ["a==1", "b"]),
        ("npm install --silent openai@7.59.0 @ai-sdk/openai@4", ["openai@7.59.0", "@ai-sdk/openai@4"]),
        ("# uv pip install a", []),
    ],
)
def test_packages_are_read_from_the_lines_that_install_them(line: str, found: list[str]) -> None:
    assert packages(line) == found


@pytest.mark.parametrize("loose", ["a", "a>=1", "a==1.*", "a@latest", "a@^1.2"])
def test_a_loose_version_is_not_a_pin(loose: str) -> None:
    assert ONE_VERSION.fullmatch(loose) is None


def test_every_finding_is_in_the_readme_once() -> None:
    listed = re.findall(r"^\| \[([^\]]+)\]\(([^)]+)\) \|", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert listed == [(script.stem, script.name) for script in SCRIPTS]
