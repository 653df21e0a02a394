"""gonogo.toml, and `gonogo init`, which writes it."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from gonogo.cli.check import check
from gonogo.cli.config_file import defaults, settable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which each test runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_options_come_from_the_file_in_the_folder(gonogo: Run, reference_url: str, folder: Path) -> None:
    (folder / "gonogo.toml").write_text(f'url = "{reference_url}"\nonly = ["models"]\njson = "r.json"\n')
    result = gonogo("check")

    assert result.exit_code == 0
    assert result.stderr == "Using options from gonogo.toml.\n"
    assert json.loads((folder / "r.json").read_text())["verdict"] == "go"


def test_the_command_line_wins_over_the_file(gonogo: Run, folder: Path) -> None:
    (folder / "gonogo.toml").write_text('only = ["models"]\n')

    assert (
        "models" not in gonogo("check", "--plan", "--only", "embeddings.format.float").stdout.splitlines()[-2]
    )
    assert gonogo("check", "--plan", "--no-config").stdout.splitlines()[-1].startswith("2")
    assert gonogo("check", "--plan", "--no-config").stderr == ""


def test_paths_of_a_named_file_are_relative_to_it(folder: Path) -> None:
    file = folder / "ci" / "gate.toml"
    file.parent.mkdir()
    file.write_text('baseline = "waivers.toml"\njson = "-"\n[extra-body]\ntop_k = 1\n[header]\nA = "b"\n')

    assert defaults(file, check) == {
        "baseline": str(file.parent / "waivers.toml"),
        "json_file": "-",
        "extra_body": '{"top_k": 1}',
        "header": ["A=b"],
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("timeuot = 3", 'gonogo.toml: "timeuot" is not an option; did you mean "timeout"?'),
        ('api_key = "x"', "GONOGO_API_KEY"),
        ('strict = "yes"', 'gonogo.toml: strict must be true or false, not "yes".'),
        ("timeout = [1]", "gonogo.toml: timeout must be a string or a number, not [1]."),
        ("timeout = 0", "gonogo.toml: timeout: 0.0 is not in the range x>=0.001."),
        ("resume = true", 'gonogo.toml: "resume" is not an option; did you mean "require"?'),
        ("timeout = ", "gonogo.toml is not valid TOML"),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence(gonogo: Run, folder: Path, text: str, sentence: str) -> None:
    (folder / "gonogo.toml").write_text(text)
    result = gonogo("check", "--plan")

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_file_that_is_named_and_absent_is_refused(gonogo: Run) -> None:
    result = gonogo("check", "--config", "absent.toml")

    assert (result.exit_code, result.stderr) == (
        2,
        "Cannot read absent.toml: No such file or directory.\n",
    )


def test_init_writes_a_file_that_check_reads(gonogo: Run, folder: Path) -> None:
    written = gonogo("init", "http://127.0.0.1:9/v1/")

    assert written.stdout == "Wrote gonogo.toml with http://127.0.0.1:9/v1. Run: gonogo check\n"
    assert tomllib.loads((folder / "gonogo.toml").read_text()) == {"url": "http://127.0.0.1:9/v1"}
    assert "http://127.0.0.1:9/v1" in gonogo("check").stderr


def test_every_example_that_init_writes_is_an_option(gonogo: Run, folder: Path) -> None:
    gonogo("init", "http://127.0.0.1:9/v1")
    file = folder / "gonogo.toml"
    lines = file.read_text().splitlines()
    examples = [line[2:] if re.match(r"# [a-z-]+ = ", line) else line for line in lines]
    file.write_text("\n".join(examples))

    assert len(defaults(file, check)) > 12
    assert set(tomllib.loads(file.read_text())) <= set(settable(check))


def test_init_replaces_nothing_unless_forced(gonogo: Run, folder: Path) -> None:
    (folder / "gonogo.toml").write_text("mine")
    refused = gonogo("init", "http://127.0.0.1:9/v1")

    assert (refused.exit_code, refused.stderr) == (2, "gonogo.toml already exists; --force replaces it.\n")
    assert (folder / "gonogo.toml").read_text() == "mine"
    assert gonogo("init", "--force", "http://127.0.0.1:9/v1").exit_code == 0


def test_init_writes_no_secret(gonogo: Run, folder: Path) -> None:
    assert gonogo("init", "http://127.0.0.1:9/v1?api_key=abc").exit_code == 2
    assert not (folder / "gonogo.toml").exists()


@pytest.mark.parametrize(
    ("shell", "file"),
    [
        ("bash", ".local/share/bash-completion/completions/gonogo"),
        ("zsh", ".zfunc/_gonogo"),
        ("fish", ".config/fish/completions/gonogo.fish"),
    ],
)
def test_completion_is_installed_where_the_shell_looks(
    gonogo: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, shell: str, file: str
) -> None:
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("SHELL", f"/bin/{shell}")
    result = gonogo("--install-completion")

    assert result.exit_code == 0
    assert result.stdout.startswith(f"Wrote {folder / file}")
    assert "_GONOGO_COMPLETE" in (folder / file).read_text()


def test_an_unknown_shell_is_refused(gonogo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/other")

    assert "--install-completion=bash" in gonogo("--install-completion").stderr
