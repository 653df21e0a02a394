"""`gonogo --install-completion`: writes the completion script to the shell's folder for it."""

import os
from dataclasses import dataclass
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from gonogo.cli.printing import show

VARIABLE = "_GONOGO_COMPLETE"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a shell looks for scripts: a file in the folder that a variable names, or else in the home folder.

    `also` is what users have to add to their own settings.
    """

    variable: str
    default: str
    file: str
    also: str = ""

    @property
    def path(self) -> Path:
        """The path of the file; its folders may not exist yet."""
        base = os.environ.get(self.variable)
        return (Path(base) if base else Path.home() / self.default) / self.file


PLACES = {
    "bash": Place("XDG_DATA_HOME", ".local/share", "bash-completion/completions/gonogo"),
    "zsh": Place(
        "ZDOTDIR",
        "",
        ".zfunc/_gonogo",
        " Add to .zshrc: fpath+=${ZDOTDIR:-~}/.zfunc; autoload -Uz compinit && compinit",
    ),
    "fish": Place("XDG_CONFIG_HOME", ".config", "fish/completions/gonogo.fish"),
}


def install_completion(context: click.Context, _: click.Parameter, shell: str | None) -> None:
    """Write the script for a shell, by default ("auto") the current one, and exit."""
    if shell is None or context.resilient_parsing:
        return
    name = Path(os.environ.get("SHELL", "")).name if shell == "auto" else shell
    if name not in PLACES:
        raise click.UsageError(
            f"Give the shell ({', '.join(PLACES)}), for example: gonogo --install-completion=bash."
        )
    place = PLACES[name]
    completion = get_completion_class(name)
    assert completion is not None
    script = completion(context.command, {}, "gonogo", VARIABLE).source()
    try:
        place.path.parent.mkdir(parents=True, exist_ok=True)
        place.path.write_text(script, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"Cannot write {place.path}: {error.strerror}.") from error
    show([f"Wrote {place.path}. Completion works in new shells.{place.also}"])
    context.exit()
