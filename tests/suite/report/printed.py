"""Printed reports, and shared parts of their tests."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING

from gonogo.exchange import Request
from gonogo.report.curl import curl
from gonogo.report.terminal import Detail, print_report
from gonogo.verdict import Verdict
from rich.console import Console

if TYPE_CHECKING:
    from gonogo.report.model import Report
    from gonogo.verdict import Judgement

STREAMED_REQUEST = Request(
    "POST",
    "/chat/completions",
    (("content-type", "application/json"),),
    b'{"model": "m", "stream": true}',
)
PASS, FAIL, WARN = Verdict.PASS, Verdict.FAIL, Verdict.WARN


COMMAND = curl(STREAMED_REQUEST, "http://127.0.0.1:8000/v1")


def text_of(
    report: Report, detail: Detail = Detail.SCREEN, *, terminal: bool = False, width: int = 80
) -> str:
    file = StringIO()
    print_report(report, Console(file=file, force_terminal=terminal, width=width, color_system=None), detail)
    return file.getvalue()


def several(judgement: Judgement, number: int) -> list[Judgement]:
    """The same finding for several rules, numbered from 0."""
    return [
        replace(judgement, rule=replace(judgement.rule, id=f"chat.stream.r{n}", title=f"Title {n}"))
        for n in range(number)
    ]
