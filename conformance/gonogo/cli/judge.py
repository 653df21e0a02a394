"""`gonogo judge`: the verdicts on stored evidence, with no network."""

from pathlib import Path
from typing import Annotated

import typer

from gonogo import evidence, running
from gonogo.cli.options import (
    BaselineFile,
    JsonFile,
    JunitFile,
    MarkdownFile,
    Only,
    Require,
    SarifFile,
    Skip,
    Strict,
    UpdateBaseline,
)
from gonogo.cli.output import STATUS, report_sinks
from gonogo.cli.waivers import waiving
from gonogo.report.terminal import print_report
from gonogo.rules import load
from gonogo.running import Selection
from gonogo.stimuli.fuzzed import was_fuzzed


def judge(  # noqa: PLR0913 - one parameter an option
    evidence_file: Annotated[Path, typer.Argument(metavar="EVIDENCE", help="Written by gonogo check.")],
    *,
    only: Only = None,
    skip: Skip = None,
    require: Require = None,
    strict: Strict = False,
    baseline: BaselineFile = None,
    update_baseline: UpdateBaseline = False,
    json_file: JsonFile = None,
    junit_file: JunitFile = None,
    sarif_file: SarifFile = None,
    markdown_file: MarkdownFile = None,
) -> None:
    """Judge stored evidence by the rules of this version; nothing is sent."""
    accepted, catalogue = waiving(baseline, update=update_baseline), load(fuzz=True)
    record = evidence.read(evidence_file)
    fuzzed = was_fuzzed(record)
    selection = Selection(tuple(only or ()), tuple(skip or ()), tuple(require or ()), strict, fuzzed)
    report = running.judge_again(record, selection, catalogue, accepted.waivers)
    outputs = report_sinks(
        json_file=json_file, junit_file=junit_file, sarif_file=sarif_file, markdown_file=markdown_file
    )
    with outputs as opened:
        opened.write(report)
        print_report(report, opened.console)
    accepted.write(report, catalogue)
    raise typer.Exit(STATUS[report.gate])
