"""The command line: reads options, calls one function, prints, and exits with a status.

0: go. 1: no-go, or worse than before. 2: could not judge, or a usage error, with one sentence on stderr. 130:
interrupted.
"""

import errno
import os
import sys
import traceback
from pathlib import Path
from typing import TextIO

import click

import gonogo
from gonogo.cli.commands import COMMANDS, Deferred
from gonogo.cli.printing import say, send_to_nowhere, write
from gonogo.errors import GonogoError
from gonogo.report.wording import visible

COULD_NOT_JUDGE = 2
INTERRUPTED = 130
UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})
"""The system's errors for a file that cannot be written, as on a full disk."""


class Commands(click.Group):
    """The commands; every expected failure becomes a sentence and an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's form
        """The names in the order of the table: the commands that a new user needs come first."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was requested."""
        try:
            return super().invoke(ctx)
        except GonogoError as error:
            say(str(error))
            raise click.exceptions.Exit(COULD_NOT_JUDGE) from error
        except KeyboardInterrupt as stop:
            say(f"Interrupted{stop}.")
            raise click.exceptions.Exit(INTERRUPTED) from stop


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's form
    if wanted and not context.resilient_parsing:
        click.echo(f"gonogo {gonogo.__version__}")
        context.exit()


def _install_completion(context: click.Context, parameter: click.Parameter, shell: str | None) -> None:
    if shell is not None:
        from gonogo.cli.completion import install_completion  # noqa: PLC0415 - slow to import

        install_completion(context, parameter, shell)


@click.group(cls=Commands, commands=[Deferred(name, entry) for name, entry in COMMANDS.items()])
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
@click.option(
    "--install-completion",
    type=click.Choice(["bash", "zsh", "fish", "auto"]),
    is_flag=False,
    flag_value="auto",
    is_eager=True,
    expose_value=False,
    callback=_install_completion,
    help=(
        "Install shell completion for this shell, such as --install-completion=bash. Default: the shell in "
        "$SHELL."
    ),
)
def app() -> None:
    """The go/no-go gauge for OpenAI-compatible endpoints."""


def _nowhere() -> TextIO:
    """A stand-in for a stream that is closed (`>&-`)."""
    return Path(os.devnull).open("w")


def main() -> None:
    """Run the command line; the entry point of the `gonogo` script."""
    sys.stdout, sys.stderr = sys.stdout or _nowhere(), sys.stderr or _nowhere()
    try:
        app(prog_name="gonogo")
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        send_to_nowhere(sys.stdout)
        say(f"Cannot write the output of gonogo: {error.strerror}.")
        sys.exit(COULD_NOT_JUDGE)
    except Exception:  # noqa: BLE001 - a bug must not exit with 1, which means no-go
        write(map(visible, traceback.format_exc().splitlines()), sys.stderr)
        say("Internal error in gonogo, so nothing was judged. Please report the lines above.")
        sys.exit(COULD_NOT_JUDGE)
