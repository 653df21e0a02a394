"""The reports of a run in every format, and its exit status."""

import os
from contextlib import AbstractContextManager
from pathlib import Path

from gonogo.cli.output import Sinks, sinks
from gonogo.errors import UsageError
from gonogo.report import html, json, junit, markdown, sarif
from gonogo.report.model import Gate, Report
from gonogo.report.terminal import Detail

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""The variable with the file whose Markdown GitHub shows on the page of a run."""
STATUS = {Gate.GO: 0, Gate.NO_GO: 1, Gate.NOT_JUDGED: 2}
"""The exit status of each result."""


def detail_of(*, verbose: bool, quiet: bool) -> Detail:
    """The level of detail. Raises UsageError if both options are given."""
    if verbose and quiet:
        raise UsageError("--verbose and --quiet exclude each other; remove one of them.")
    return Detail.ALL if verbose else Detail.QUIET if quiet else Detail.SCREEN


def report_sinks(
    *,
    json_file: Path | None,
    junit_file: Path | None,
    sarif_file: Path | None,
    html_file: Path | None,
    markdown_file: Path | None,
) -> AbstractContextManager[Sinks[Report]]:
    """The files of a report, and GitHub's step summary if the environment names one; see `sinks`."""
    summary = os.environ.get(STEP_SUMMARY)
    return sinks(
        (json.render, json_file),
        (junit.render, junit_file),
        (sarif.render, sarif_file),
        (html.render, html_file),
        (markdown.render, markdown_file),
        appended=(markdown.render, Path(summary) if summary else None),
    )
