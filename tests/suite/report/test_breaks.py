"""A broken rule lists the clients that break on the exchanges that show it."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING

import jsonschema_rs
from gonogo.report import json as json_report
from gonogo.report import markdown
from gonogo.report.breaks import breaks
from gonogo.report.finding import rule_lines
from gonogo.report.terminal import print_report
from gonogo.verdict import Evidence, Judgement, Level, Rule, Verdict
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.report.model import Report

    Make = Callable[..., Report]

OPENAI = "openai-python 3.51.0: TypeError in for choice in chunk.choices"
SSE = "httpx-sse 0.4.3: JSONDecodeError in json.loads(event.data)"


def client(rule_id: str, verdict: Verdict, *said: tuple[str, str]) -> Judgement:
    rule = Rule(rule_id, f"Title of {rule_id}", Level.SHOULD, "SDK behaviour", "programs break")
    evidence = tuple(Evidence(exchange, None, how) for exchange, how in said)
    return Judgement(rule, verdict, "an answer that it reads", said[0][1], evidence)


READER = client("clients.openai_python.chat_stream", Verdict.WARN, ("x2", OPENAI), ("x1", OPENAI))
EVENTS = client("clients.httpx_sse.stream", Verdict.WARN, ("x2", SSE))
ELSEWHERE = client("clients.httpx_sse.stream", Verdict.WARN, ("x9", SSE))


def test_each_breakage_is_listed_once_for_the_rules_with_its_exchanges(
    make: Make, rows: Mapping[Verdict, Judgement]
) -> None:
    report = make(Verdict.FAIL, Verdict.WARN, Verdict.PASS, READER, EVENTS)

    assert breaks(rows[Verdict.FAIL], report) == (OPENAI, SSE)
    assert breaks(rows[Verdict.WARN], report) == (OPENAI,)
    assert breaks(rows[Verdict.PASS], report) == ()
    assert breaks(READER, report) == ()


def test_a_client_that_breaks_elsewhere_or_whose_rule_is_not_broken_is_not_named(
    make: Make, rows: Mapping[Verdict, Judgement]
) -> None:
    report = make(Verdict.FAIL, ELSEWHERE, replace(READER, verdict=Verdict.INCONCLUSIVE))

    assert breaks(rows[Verdict.FAIL], report) == ()


def test_a_client_failure_that_another_cause_explains_is_not_attributed_to_other_rules(
    make: Make, rows: Mapping[Verdict, Judgement]
) -> None:
    failed = rows[Verdict.FAIL]
    here, there = (Evidence(exchange, None, None) for exchange in ("x1", "x2"))
    behind = replace(failed, cause="text", evidence=(here, there))
    beside = replace(
        failed, rule=replace(failed.rule, id="chat.stream.usage"), cause="usage", evidence=(there,)
    )
    reader = replace(READER, cause="text")

    report = replace(make(), judgements=(behind, beside, reader))
    assert breaks(behind, report) == (OPENAI,)
    assert breaks(beside, report) == ()
    assert breaks(replace(beside, evidence=(here, there)), report) == (OPENAI,)
    fewer = replace(behind, evidence=(here,))
    assert breaks(beside, replace(report, judgements=(fewer, beside, reader))) == (OPENAI,)


def test_a_waived_rule_of_a_client_still_says_that_it_breaks(
    make: Make, rows: Mapping[Verdict, Judgement]
) -> None:
    report = make(Verdict.FAIL, replace(EVENTS, verdict=Verdict.WAIVED))

    assert breaks(rows[Verdict.FAIL], report) == (SSE,)


def test_the_json_report_has_them_as_a_list_that_fits_the_schema(make: Make) -> None:
    document = json_report.document(make(Verdict.FAIL, Verdict.PASS, READER, EVENTS))

    jsonschema_rs.validator_for(json_report.schema()).validate(document)
    assert [rule["breaks"] for rule in document["rules"]] == [[OPENAI, SSE], [], [], []]


def test_the_terminal_names_each_client_once_after_the_reason_of_the_rule(make: Make) -> None:
    lines = printed(make(Verdict.FAIL, READER, EVENTS))

    assert [line for line in lines if line.startswith("  breaks")] == [
        f"  breaks    reason of chat.stream.done; {OPENAI}; {SSE}"
    ]


def test_a_reason_that_is_a_sentence_is_joined_to_the_clients_without_its_full_stop(
    make: Make, rows: Mapping[Verdict, Judgement]
) -> None:
    failed = rows[Verdict.FAIL]
    report = make(replace(failed, rule=replace(failed.rule, why="Clients wait (o/r#1).")), EVENTS)
    report_of_one = rule_lines(report, report.judgement(failed.rule.id))

    assert f"  breaks    Clients wait (o/r#1); {SSE}" in printed(report)
    measured = 'measured on "chat streams without [DONE]": none of 10 clients breaks'
    assert f"  breaks    Clients wait (o/r#1); {measured}; {SSE}" in report_of_one
    assert f"- Breaks: Clients wait (o/r#1); `{SSE}`" in markdown.render(report).splitlines()


def test_the_terminal_counts_what_it_does_not_show_and_escapes_what_a_server_sent(make: Make) -> None:
    many = client("clients.httpx_sse.stream", Verdict.WARN, *(("x2", f"\x1b {n}") for n in range(6)))
    lines = printed(make(Verdict.FAIL, many))

    assert r"  breaks    reason of chat.stream.done; \x1b 0; \x1b 1; \x1b 2; and in 3 more ways" in lines


def printed(report: Report) -> list[str]:
    file = StringIO()
    print_report(report, Console(file=file, width=80, color_system=None))
    return file.getvalue().splitlines()
