"""The Markdown report is short, and nothing from a target can act in it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from gonogo.baseline import Kind, Problem
from gonogo.report import markdown
from gonogo.verdict import Cause, Evidence, Judgement, Level, Rule, Verdict

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


KNOWN = Cause(
    "no-end", "Streams *never* end", "no `end`", "all clients", ("chat.stream.done", "chat.stream.usage")
)
"""A known fault that breaks two rules, without a single exchange that shows it."""


def test_a_cause_says_what_was_seen_who_breaks_and_by_which_rules_and_folds_the_command(
    make: Callable[..., Report],
) -> None:
    text = markdown.render(make(Verdict.FAIL))
    lines = text[text.index("### Failures") :].splitlines()

    assert lines[:11] == [
        "### Failures",
        "",
        "#### Title of chat.stream.done",
        "",
        r"- Seen: `the stream ended \x1b[31mwithout it`",
        "- Expected: `[DONE]`",
        "- Breaks: reason of chat.stream.done",
        "- Rules: `chat.stream.done`",
        "",
        "<details><summary>Repeat it</summary>",
        "",
    ]
    assert lines[11] == "```sh"
    assert lines[12].startswith("curl -sS -i -N http://127.0.0.1:8000/v1/chat/completions ")
    assert lines[13:] == ["```", "", "</details>"]


def test_a_cause_of_several_rules_has_them_folded_in_a_table(make: Callable[..., Report]) -> None:
    text = markdown.render(make(Verdict.FAIL, Verdict.WARN, causes=(KNOWN,)))

    assert "#### Streams &#42;never&#42; end\n\n- Seen: `` no `end` ``\n- Expected: `[DONE]`\n" in text
    assert "- Breaks: all clients\n- Rules: `chat.stream.done`, `chat.stream.usage`\n" in text
    assert (
        "<details><summary>Broken rules: 2</summary>\n\n"
        "| rule | requirement | expected | found |\n| --- | --- | --- | --- |\n"
        "| `chat.stream.done` | Title of chat.stream.done | `[DONE]` | "
        "`the stream ended \\x1b[31mwithout it (in 2 of 3 exchanges)` |\n"
        "| `chat.stream.usage` | Title of chat.stream.usage | `usage` | `there is none` |\n"
        "\n</details>\n"
    ) in text
    assert "### Warnings" not in text


def test_a_cause_of_many_rules_counts_what_its_line_does_not_name(
    make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
) -> None:
    found = rows[Verdict.FAIL]
    many = [replace(found, rule=replace(found.rule, id=f"a.b{n}")) for n in range(markdown.MOST_IDS + 3)]
    text = markdown.render(make(*many, causes=(replace(KNOWN, rules=tuple(j.rule.id for j in many)),)))

    assert f"`a.b{markdown.MOST_IDS - 1}` and 3 more\n" in text
    assert text.count("| `a.b") == len(many)


def test_each_kind_of_finding_has_its_own_heading_and_failures_come_before_warnings(
    make: Callable[..., Report],
) -> None:
    text = markdown.render(make(*Verdict))

    assert re.findall(r"^###+ (.*)$", text, re.MULTILINE) == [
        "Internal errors of gonogo",
        "Failures",
        "Title of chat.stream.done",
        "Warnings",
        "Title of chat.stream.usage",
    ]
    assert "<details><summary>1 waived by the baseline</summary>\n\n| rule | found |" in text


def test_beyond_the_first_causes_commands_are_left_to_the_json_report(
    make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
) -> None:
    found = rows[Verdict.FAIL]
    many = [replace(found, rule=replace(found.rule, id=f"a.b{n}")) for n in range(markdown.MOST_COMMANDS + 3)]
    text = markdown.render(make(*many))

    assert text.count("<summary>Repeat it</summary>") == markdown.MOST_COMMANDS
    assert text.count("\n#### ") == len(many)


def test_other_reasons_for_no_go_are_listed(make: Callable[..., Report]) -> None:
    report = make(
        Verdict.PASS, Verdict.WARN, require=["embeddings"], problems=[STALE], strict=True, truncated=True
    )
    text = markdown.render(report)

    assert "- Required but not fully supported: `embeddings`\n" in text
    assert "- `baseline.toml, line 4: delete the line.`\n" in text
    assert "- The run is strict: warnings are no-go.\n" in text
    assert "The evidence file is incomplete" in text


@pytest.mark.parametrize("said", HOSTILE)
def test_a_row_stays_a_row_and_its_text_stays_in_a_code_span(
    make: Callable[..., Report], rows: Mapping[Verdict, Judgement], said: str
) -> None:
    failed = replace(rows[Verdict.FAIL], actual=said, expected=said)
    page = markdown.render(make(failed, Verdict.WARN, causes=(replace(KNOWN, seen=said),)))
    (row,) = [line for line in page.splitlines() if "| Title of chat.stream.done |" in line]
    cells = re.split(r"(?<!\\)\|", row)
    listed = [
        line.partition(": ")[2] for line in page.splitlines() if line.startswith(("- Seen:", "- Expected:"))
    ]

    assert len(cells) == 6
    assert listed
    for cell in [*cells[3:5], *(f" {text} " for text in listed)]:
        assert re.fullmatch(r" (?:(`+)(?!`).*(?<!`)\1)? ", cell), cell
        marks = re.match(r" (`*)", cell)
        assert marks is not None
        inside = cell.strip()[len(marks[1]) : -len(marks[1]) or None]
        assert marks[1] not in re.findall("`+", inside)


def test_a_long_text_is_shown_by_its_beginning(
    make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
) -> None:
    text = markdown.render(make(replace(rows[Verdict.FAIL], actual="x" * 5000)))

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

    assert "```sh\n# too long to show; the JSON report contains it\n```" in text


def test_a_client_that_breaks_is_named_with_the_failure(make: Callable[..., Report]) -> None:
    seen = Evidence("x2", actual="a-client 1.0: KeyError")
    client = Judgement(
        Rule("clients.a", "A client reads it", Level.SHOULD, "s", "w"), Verdict.WARN, "e", "m", (seen,)
    )

    assert "\n- Breaks: reason of chat.stream.done; `a-client 1.0: KeyError`\n" in markdown.render(
        make(Verdict.FAIL, client)
    )


def test_a_waived_rule_has_its_reason_and_is_not_a_failure(make: Callable[..., Report]) -> None:
    text = markdown.render(make(Verdict.PASS, Verdict.WAIVED))

    assert "| `chat.tools.ids` | `two calls share one (waived until 2027-01-31: our issue 12)` |\n" in text
    assert "###" not in text.removeprefix("## ")


def test_a_check_of_ours_that_broke_says_how_and_has_no_command(make: Callable[..., Report]) -> None:
    assert (
        "| `chat.seed` | `internal error while checking these answers: KeyError: 'a' (seeds.py:7)` |\n"
        in markdown.render(make(Verdict.PASS, Verdict.ERROR))
    )
    assert "<details>" not in markdown.render(make(Verdict.PASS, Verdict.ERROR))
