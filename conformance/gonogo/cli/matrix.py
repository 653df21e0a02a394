"""`gonogo matrix` and `gonogo badge`: tables and badges from stored reports."""

from pathlib import Path

import click

from gonogo.cli import options
from gonogo.cli.output import sinks
from gonogo.cli.printing import show
from gonogo.errors import UsageError
from gonogo.report import badge as badges
from gonogo.report import matrix as matrices
from gonogo.report.diff import read
from gonogo.report.html.matrix import render as render_html
from gonogo.rules import profiles

REPORTS = "JSON reports from gonogo check; 'my-server 1.2=FILE' sets the name of the column."


@click.command()
@click.argument("reports", nargs=-1, required=True, metavar="[LABEL=]REPORT...", help=REPORTS)
@options.html_file
@options.markdown_file
@options.json_file
def matrix(
    *, reports: tuple[str, ...], html_file: Path | None, markdown_file: Path | None, json_file: Path | None
) -> None:
    """Compare several reports side by side, by groups and rules."""
    servers = [server for argument in reports for server in _servers(argument)]
    _refuse_twins(servers)
    found = matrices.build(servers)
    with sinks(
        (render_html, html_file), (matrices.render_markdown, markdown_file), (matrices.render_json, json_file)
    ) as opened:
        opened.write(found)
        opened.show(matrices.render_text(found))


def _servers(argument: str) -> list[matrices.Server]:
    label, equals, name = argument.rpartition("=")
    if not equals or Path(argument).exists():
        label, name = "", argument
    report = read(Path(name))
    return list(matrices.servers_of(report, label or matrices.label_of(report)))


def _refuse_twins(servers: list[matrices.Server]) -> None:
    labels = [server.label for server in servers]
    twin = next((label for label in labels if labels.count(label) > 1), None)
    if twin is not None:
        raise UsageError(
            f"Two columns have the name \"{twin}\"; rename one, for example 'server 1.2=report.json'."
        )


@click.command()
@click.argument("report", type=Path, metavar="REPORT", help="A JSON report from gonogo check --json.")
@click.option(
    "--profile",
    type=click.Choice([profile.name for profile in profiles()]),
    help="Show the verdict of this profile.",
)
def badge(*, report: Path, profile: str | None) -> None:
    """Print an SVG badge with the verdict of a report or of one profile."""
    show([badges.render(read(report), profile).removesuffix("\n")])
