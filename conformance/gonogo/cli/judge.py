"""`gonogo judge`: the verdicts on stored evidence, with no network."""

from pathlib import Path
from typing import Annotated

import typer

from gonogo import evidence, running
from gonogo.cli.options import JsonFile, JunitFile, Only, Require, Skip, Strict
from gonogo.cli.output import STATUS, sinks
from gonogo.rules import load
from gonogo.running import Selection


def judge(
    evidence_file: Annotated[Path, typer.Argument(metavar="EVIDENCE", help="Written by gonogo check.")],
    *,
    only: Only = None,
    skip: Skip = None,
    require: Require = None,
    strict: Strict = False,
    json_file: JsonFile = None,
    junit_file: JunitFile = None,
) -> None:
    """Judge stored evidence by the rules of this version; nothing is sent."""
    selection = Selection(tuple(only or ()), tuple(skip or ()), tuple(require or ()), strict)
    record = evidence.read(evidence_file)
    report = running.judge_again(record, selection, load())
    with sinks(json_file, junit_file) as outputs:
        outputs.write(report)
    raise typer.Exit(STATUS[report.gate])
