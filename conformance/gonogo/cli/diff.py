"""`gonogo diff`: the differences between two reports."""

from pathlib import Path

import click

from gonogo.cli import options
from gonogo.cli.output import sinks
from gonogo.report.diff import compare, read, render_json, render_markdown, render_text

WORSE = 1


@click.command()
@click.argument("old", type=Path, metavar="OLD", help="A JSON report from gonogo check --json.")
@click.argument("new", type=Path, metavar="NEW", help="A later JSON report.")
@options.json_file
@options.markdown_file
def diff(*, old: Path, new: Path, json_file: Path | None, markdown_file: Path | None) -> None:
    """Compare two reports; exit with 1 if something got worse."""
    comparison = compare(read(old), read(new))
    with sinks((render_json, json_file), (render_markdown, markdown_file)) as opened:
        opened.write(comparison)
        opened.show(render_text(comparison))
    raise click.exceptions.Exit(WORSE if comparison.is_worse else 0)
