"""The command line: reads options, calls one function, prints, and leaves with a status.

0: go. 1: no-go, or worse than before. 2: could not judge, or was asked wrongly, with one sentence on stderr.
130: interrupted.
"""

import sys
import traceback

import click

import gonogo
from gonogo.cli.commands import COMMANDS, Deferred
from gonogo.cli.printing import say
from gonogo.errors import GonogoError

COULD_NOT_JUDGE = 2
INTERRUPTED = 130


class Commands(click.Group):
    """The commands, with every expected way of not succeeding turned into a sentence and a status."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's form
        """The names in the order of the table: what one does first comes first."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was asked for."""
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


@click.group(cls=Commands, commands=[Deferred(name, entry) for name, entry in COMMANDS.items()])
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the version.",
)
def app() -> None:
    """The go/no-go gauge for OpenAI-compatible endpoints."""


def main() -> None:
    """Run the command line; the entry point of the `gonogo` script."""
    try:
        app(prog_name="gonogo")
    except Exception:  # noqa: BLE001 - a mistake of ours must not leave with 1, which means no-go
        traceback.print_exc()
        say("gonogo itself broke, so nothing was judged; please report the lines above.")
        sys.exit(COULD_NOT_JUDGE)
