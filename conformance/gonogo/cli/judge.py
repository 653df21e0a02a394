"""`gonogo judge`: judges stored evidence without network access."""

from dataclasses import replace
from pathlib import Path

import click

from gonogo import evidence, running
from gonogo.cli import options
from gonogo.cli.reports import STATUS, detail_of, report_sinks
from gonogo.cli.waivers import waiving
from gonogo.clients import nodejs
from gonogo.report.terminal import print_report
from gonogo.rules import load
from gonogo.running import Selection
from gonogo.stimuli.fuzzed import was_fuzzed
from gonogo.stimuli.played import was_played


@click.command()
@click.argument(
    "evidence_file", type=Path, metavar="EVIDENCE", help="An evidence file from gonogo check --evidence."
)
@options.only
@options.skip
@options.profile
@options.rule_set
@options.node_modules
@options.require
@options.strict
@options.baseline
@options.update_baseline
@options.label
@options.json_file
@options.junit_file
@options.sarif_file
@options.html_file
@options.markdown_file
@options.verbose
@options.quiet
def judge(  # noqa: PLR0913 - one parameter per option
    *,
    evidence_file: Path,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    profiles: tuple[str, ...],
    rule_set: str | None,
    node_modules: Path | None,
    require: tuple[str, ...],
    strict: bool,
    baseline: Path | None,
    update_baseline: bool,
    label: str | None,
    json_file: Path | None,
    junit_file: Path | None,
    sarif_file: Path | None,
    html_file: Path | None,
    markdown_file: Path | None,
    verbose: bool,
    quiet: bool,
) -> None:
    """Judge recorded evidence again with the rules of this version, without sending requests."""
    detail = detail_of(verbose=verbose, quiet=quiet)
    accepted, catalogue = waiving(baseline, update=update_baseline), load(fuzz=True, node=True, gateway=True)
    records = evidence.read_each(evidence_file)
    fuzzed = any(map(was_fuzzed, records))
    selection = Selection(
        only,
        skip,
        require,
        strict,
        fuzzed,
        rule_set,
        None if node_modules is None else nodejs.find(node_modules),
        profiles,
        gateway=any(map(was_played, records)),
    )
    report = replace(running.judge_again(records, selection, catalogue, accepted.waivers), label=label)
    outputs = report_sinks(
        json_file=json_file,
        junit_file=junit_file,
        sarif_file=sarif_file,
        html_file=html_file,
        markdown_file=markdown_file,
    )
    with outputs as opened:
        opened.write(report)
        print_report(report, opened.console, detail)
    accepted.write(report, catalogue)
    raise click.exceptions.Exit(STATUS[report.gate])
