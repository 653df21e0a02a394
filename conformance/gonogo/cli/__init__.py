"""The command line: reads options, calls one function, prints, and leaves with a status.

0: go. 1: no-go, or worse than before. 2: could not judge, or was asked wrongly, with one sentence on stderr.
130: interrupted.
"""

import sys
import traceback
from typing import Annotated

import typer
from typer.core import TyperGroup

from gonogo import __version__
from gonogo.cli import check, diff, judge, rules, serve
from gonogo.cli.output import say
from gonogo.errors import GonogoError

COULD_NOT_JUDGE = 2
INTERRUPTED = 130


class Commands(TyperGroup):
    """The commands, with every expected way of not succeeding turned into a sentence and a status."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override] # the base class is not public
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except GonogoError as error:
            say(str(error))
            raise typer.Exit(COULD_NOT_JUDGE) from error
        except KeyboardInterrupt as stop:
            say(f"Interrupted{stop}.")
            raise typer.Exit(INTERRUPTED) from stop


app = typer.Typer(
    name="gonogo",
    cls=Commands,
    help="The go/no-go gauge for OpenAI-compatible endpoints.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("check")(check.check)
app.command("judge")(judge.judge)
app.command("diff")(diff.diff)
app.command("rules")(rules.rules)
app.command("explain")(rules.explain)
app.command("serve", context_settings=serve.PASS_ON)(serve.serve)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer hands it over so
    if wanted:
        typer.echo(f"gonogo {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The go/no-go gauge for OpenAI-compatible endpoints."""


def main() -> None:
    """Run the command line; the entry point of the `gonogo` script."""
    try:
        app(prog_name="gonogo")
    except Exception:  # noqa: BLE001 - a mistake of ours must not leave with 1, which means no-go
        traceback.print_exc()
        say("gonogo itself broke, so nothing was judged; please report the lines above.")
        sys.exit(COULD_NOT_JUDGE)
