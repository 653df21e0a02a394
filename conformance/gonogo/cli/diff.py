"""`gonogo diff`: what changed between two reports."""

from pathlib import Path
from typing import Annotated

import typer

from gonogo.cli.options import JsonFile, MarkdownFile
from gonogo.cli.output import sinks
from gonogo.report.diff import compare, read, render_json, render_markdown, render_text

WORSE = 1


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A JSON report, by gonogo check --json.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="A later one.")],
    *,
    json_file: JsonFile = None,
    markdown_file: MarkdownFile = None,
) -> None:
    """Say what got worse, better, appeared or went away; exit status 1 where something got worse."""
    comparison = compare(read(old), read(new))
    with sinks((render_json, json_file), (render_markdown, markdown_file)) as opened:
        opened.write(comparison)
        opened.console.print(render_text(comparison), end="", soft_wrap=True, markup=False, highlight=False)
    raise typer.Exit(WORSE if comparison.is_worse else 0)
