"""The text that a person reads: whole, safe to print, and easy to copy from."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING

from gonogo.exchange import Request
from gonogo.report.curl import curl
from gonogo.report.terminal import print_report, visible
from gonogo.verdict import Evidence, Verdict
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.report.model import Report
    from gonogo.verdict import Judgement

STREAMED_REQUEST = Request(
    "POST",
    "/chat/completions",
    (("content-type", "application/json"),),
    b'{"model": "m", "stream": true}',
)
PASS, FAIL, WARN = Verdict.PASS, Verdict.FAIL, Verdict.WARN


def text_of(report: Report, *, terminal: bool = False, width: int = 80) -> str:
    file = StringIO()
    print_report(report, Console(file=file, force_terminal=terminal, width=width, color_system=None))
    return file.getvalue()


def test_a_failure_shows_requirement_expected_actual_evidence_reason_and_command(
    make: Callable[..., Report],
) -> None:
    text = text_of(make(PASS, FAIL))
    block = text[text.index("FAIL  ") : text.index("\n\nNO-GO")]

    assert block.splitlines() == [
        "FAIL  chat.stream.done  (must)",
        "  requirement  Title of chat.stream.done",
        "  source       source of chat.stream.done",
        "  expected     [DONE]",
        r"  actual       The stream ended \x1b[31mwithout it",
        "  evidence     x2: POST /chat/completions -> 200, 22 bytes in 0.500 s",
        r'               byte 6 after 0.250 s: data: {"a": "\x1b[31m"}',
        "               also in x1",
        "  why          reason of chat.stream.done",
        "  repeat it    " + curl(STREAMED_REQUEST, "http://127.0.0.1:8000/v1"),
    ]


def test_a_pipe_gets_neither_colours_nor_wrapped_lines(make: Callable[..., Report]) -> None:
    text = text_of(make(PASS, FAIL, WARN), width=40)

    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) > 150


def test_a_narrow_terminal_wraps_prose_but_never_ids_or_commands(
    make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
) -> None:
    long_rule = replace(rows[FAIL].rule, id="chat." + "x" * 70, title="word " * 30)
    lines = text_of(make(replace(rows[FAIL], rule=long_rule)), terminal=True, width=60).splitlines()

    assert any(long_rule.id in line for line in lines)
    assert sum("word" in line for line in lines) > 1
    assert all(len(line) <= 60 for line in lines if "word" in line)
    assert any(line.endswith("""--data-raw '{"model": "m", "stream": true}'""") for line in lines)


def test_the_table_has_a_row_a_group_and_the_end_has_the_answer_with_its_numbers(
    make: Callable[..., Report],
) -> None:
    lines = text_of(make(PASS, FAIL, WARN)).splitlines()

    assert [line.split() for line in lines[2:5]] == [
        ["group", "pass", "fail", "warn", "unsupported", "inconclusive"],
        ["chat", "1", "·", "·", "·", "·"],
        ["chat.stream", "·", "1", "1", "·", "·"],
    ]
    assert lines[-1] == (
        "NO-GO  1 failed, 1 warned, 1 passed; 2 requests, 7 prompt and 3 completion tokens, 1.5 s"
    )


def test_rules_that_were_not_decided_stand_under_their_reason(
    make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
) -> None:
    refused = rows[Verdict.UNSUPPORTED]
    other = replace(refused, rule=replace(refused.rule, id="embeddings.b"), message="Refused with 404 (x1)")
    text = text_of(make(PASS, refused, other, Verdict.INCONCLUSIVE))

    assert (
        "UNSUPPORTED  Refused with 404\n"
        "  embeddings.shape  Title of embeddings.shape (x2)\n"
        "  embeddings.b  Title of embeddings.shape (x1)\n"
    ) in text
    assert "INCONCLUSIVE  The model stopped early\n  chat.stop  Title of chat.stop\n" in text
    assert text.endswith("tokens, 1.5 s\n")
    assert "\nGO  " in text


def test_failures_with_the_same_finding_in_the_same_exchanges_share_their_evidence(
    make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
) -> None:
    second = replace(rows[FAIL], rule=replace(rows[FAIL].rule, id="stream.done", title="Another title"))
    text = text_of(make(FAIL, second))

    assert text.count("FAIL  ") == 2
    assert text.count("repeat it") == 1
    assert text.count("  requirement  ") == 2


def test_the_beginning_of_the_body_is_shown_where_there_is_no_one_place(make: Callable[..., Report]) -> None:
    assert '  body: {"usage": {"prompt_tokens": 7' in text_of(make(WARN)).replace(" " * 13, "")


def test_a_long_list_of_exchanges_is_cut_and_counted(
    make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
) -> None:
    many = (Evidence("x1"), *(Evidence(f"x{number}") for number in range(3, 20)))

    assert "x14 and 5 more\n" in text_of(make(replace(rows[FAIL], evidence=many)))


def test_a_check_of_ours_that_broke_is_not_put_on_the_target(make: Callable[..., Report]) -> None:
    text = text_of(make(PASS, Verdict.ERROR))

    assert "ERROR  chat.seed  (must)" in text
    assert "no fault of the target" in text
    assert text.splitlines()[-1].startswith("NOT JUDGED  0 failed, 1 passed, 1 not judged;")


def test_a_run_without_one_decision_says_so(make: Callable[..., Report]) -> None:
    assert "Not one rule could be decided" in text_of(make(Verdict.INCONCLUSIVE))


def test_what_else_broke_the_gate_is_said(make: Callable[..., Report]) -> None:
    text = text_of(make(PASS, WARN, Verdict.UNSUPPORTED, strict=True, require=["embeddings"]))

    assert 'The group "embeddings" is required' in text
    assert "The run is strict" in text


def test_evidence_that_was_cut_short_is_said(make: Callable[..., Report]) -> None:
    assert "cut short" in text_of(make(PASS, truncated=True, seconds=None))


def test_nothing_from_a_target_can_steer_the_terminal() -> None:
    assert visible("a\x1b]0;x\x07\r\n\u202eé漢") == r"a\x1b]0;x\x07\r\n\u202eé漢"
