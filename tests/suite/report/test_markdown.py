"""The Markdown report is short, and nothing that a target says can act in it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from gonogo.baseline import Kind, Problem
from gonogo.report import markdown
from gonogo.verdict import Evidence, Judgement, Level, Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.report.model import Report

STALE = Problem(Kind.STALE, "chat.shape", "baseline.toml", 4, "baseline.toml, line 4: delete the line.")
HOSTILE = [
    "a|b",
    "`x` ``y``",
    "</code><img src=x>",
    "@someone see #1",
    "**bold**\n# head",
    " ",
    "`",
    "\x1b[31m",
]


def test_the_answer_and_the_totals_come_first(make: Callable[..., Report]) -> None:
    lines = markdown.render(make(Verdict.PASS, Verdict.FAIL, Verdict.WAIVED)).splitlines()

    assert lines[:3] == [
        "## gonogo: NO-GO",
        "",
        "`http://127.0.0.1:8000/v1`, model `m`: **1 failed**, 1 passed, 1 waived",
    ]


def test_a_run_without_findings_is_three_lines(make: Callable[..., Report]) -> None:
    assert markdown.render(make(Verdict.PASS)).count("\n") == 3


def test_a_failure_is_a_row_with_expected_and_found_and_a_folded_command(make: Callable[..., Report]) -> None:
    text = markdown.render(make(Verdict.FAIL))

    assert "| rule | requirement | expected | found |\n| --- | --- | --- | --- |\n" in text
    assert (
        "| `chat.stream.done` | Title of chat.stream.done | `[DONE]` | `The stream ended \\x1b[31mwithout it` |\n"
        in text
    )
    assert "<details><summary>Repeat <code>chat.stream.done</code></summary>\n\n" in text
    assert "Why it matters: reason of chat.stream.done\n\n```sh\ncurl -sS -i -N " in text
    assert text.endswith("```\n\n</details>\n")


def test_each_kind_of_finding_has_its_own_heading(make: Callable[..., Report]) -> None:
    text = markdown.render(make(*Verdict))

    assert re.findall(r"^### (.*)$", text, re.MULTILINE) == [
        "Checks of gonogo that broke",
        "Broken: must",
        "Broken: should",
    ]
    assert "<details><summary>1 waived by the baseline</summary>\n\n| rule | found |" in text


def test_what_else_breaks_the_gate_is_listed(make: Callable[..., Report]) -> None:
    report = make(
        Verdict.PASS, Verdict.WARN, require=["embeddings"], problems=[STALE], strict=True, truncated=True
    )
    text = markdown.render(report)

    assert "- Required, and not supported as asked: `embeddings`\n" in text
    assert "- `baseline.toml, line 4: delete the line.`\n" in text
    assert "- The run is strict: warnings break it.\n" in text
    assert "The evidence file was cut short" in text


@pytest.mark.parametrize("said", HOSTILE)
def test_a_row_stays_a_row_and_its_text_stays_in_a_code_span(
    make: Callable[..., Report], rows: Mapping[Verdict, Judgement], said: str
) -> None:
    failed = replace(rows[Verdict.FAIL], message=said, expected=said)
    (row,) = [line for line in markdown.render(make(failed)).splitlines() if "| Title of" in line]
    cells = re.split(r"(?<!\\)\|", row)

    assert len(cells) == 6
    for cell in cells[3:5]:
        assert re.fullmatch(r" (?:(`+)(?!`).*(?<!`)\1)? ", cell), cell
        marks = re.match(r" (`*)", cell)
        assert marks is not None
        inside = cell.strip()[len(marks[1]) : -len(marks[1]) or None]
        assert marks[1] not in re.findall("`+", inside)


def test_a_long_text_is_shown_by_its_beginning(
    make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
) -> None:
    text = markdown.render(make(replace(rows[Verdict.FAIL], message="x" * 5000)))

    assert f"`{'x' * markdown.MOST_SHOWN}…`" in text


def test_a_command_is_fenced_with_more_backticks_than_it_has() -> None:
    assert markdown.fenced("a ```` b", "sh") == "`````sh\na ```` b\n`````"


def test_a_command_that_is_too_long_is_left_to_the_json_report(
    make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
) -> None:
    report = make(Verdict.FAIL)
    asked = report.exchanges["x2"]
    long = replace(asked, request=replace(asked.request, body=b"x" * 10_000))
    text = markdown.render(replace(report, exchanges={**report.exchanges, "x2": long}))

    assert "```sh\n# too long to be shown here; the JSON report has it\n```" in text


def test_a_client_that_breaks_on_a_failure_is_named_beside_it(make: Callable[..., Report]) -> None:
    seen = Evidence("x2", actual="a-client 1.0: KeyError")
    client = Judgement(
        Rule("clients.a", "A client reads it", Level.SHOULD, "s", "w"), Verdict.WARN, "m", evidence=(seen,)
    )

    assert "\n\nBreaks `a-client 1.0: KeyError`\n\n" in markdown.render(make(Verdict.FAIL, client))


def test_a_check_of_ours_that_broke_has_no_command(make: Callable[..., Report]) -> None:
    assert "<details>" not in markdown.render(make(Verdict.PASS, Verdict.ERROR))
