"""The JUnit report tells a CI system what the verdicts tell users."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from gonogo.baseline import Kind, Problem
from gonogo.report import junit
from gonogo.verdict import Cause, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.report.model import Report

PASS, FAIL, WARN = Verdict.PASS, Verdict.FAIL, Verdict.WARN


def case_of(report: Report) -> ET.Element:
    case = ET.fromstring(junit.render(report).encode()).find("testsuite/testcase")
    assert case is not None
    return case


def test_a_suite_is_a_group_and_a_case_is_a_rule(make: Callable[..., Report]) -> None:
    root = ET.fromstring(junit.render(make(PASS, FAIL, WARN)).encode())

    assert [suite.get("name") for suite in root] == ["chat", "chat.stream"]
    assert [case.get("name") for case in root.iter("testcase")] == [
        "chat.shape",
        "chat.stream.done",
        "chat.stream.usage",
    ]


@pytest.mark.parametrize(
    ("verdict", "tag"),
    [
        (PASS, None),
        (FAIL, "failure"),
        (WARN, None),
        (Verdict.UNSUPPORTED, "skipped"),
        (Verdict.INCONCLUSIVE, "skipped"),
        (Verdict.NOT_APPLICABLE, "skipped"),
        (Verdict.WAIVED, "skipped"),
        (Verdict.ERROR, "error"),
    ],
)
def test_each_verdict_has_its_element(make: Callable[..., Report], verdict: Verdict, tag: str | None) -> None:
    found = {child.tag for child in case_of(make(verdict))} & {"failure", "error", "skipped"}

    assert found == ({tag} if tag else set())


def test_a_warning_is_output_of_a_passed_case_and_a_failure_where_the_run_is_strict(
    make: Callable[..., Report],
) -> None:
    relaxed, strict = case_of(make(WARN)), case_of(make(WARN, strict=True))
    output = relaxed.findtext("system-out") or ""
    failure = strict.find("failure")

    assert "expected: usage" in output
    assert failure is not None
    assert failure.get("type") == "warn"
    assert strict.find("system-out") is None


def test_the_reason_of_a_skipped_case_is_its_message(make: Callable[..., Report]) -> None:
    skipped = case_of(make(Verdict.INCONCLUSIVE)).find("skipped")

    assert skipped is not None
    assert skipped.get("message") == "the model stopped after 3 of 8 tokens"


def test_the_counts_are_those_of_the_cases(make: Callable[..., Report]) -> None:
    root = ET.fromstring(junit.render(make(*Verdict)).encode())

    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped", "time")} == {
        "tests": "8",
        "failures": "1",
        "errors": "1",
        "skipped": "4",
        "time": "1.500",
    }


def test_other_reasons_for_no_go_are_failed_cases_too(make: Callable[..., Report]) -> None:
    entry = Problem(Kind.STALE, "chat.shape", "baseline.toml", 4, "baseline.toml, line 4: delete the line.")
    root = ET.fromstring(junit.render(make(PASS, require=["embeddings"], problems=[entry])).encode())
    failed = {case.get("name"): case.find("failure") for case in root.iter("testcase") if len(case) == 1}

    assert root.get("failures") == "2"
    assert {name: found.get("message") for name, found in failed.items() if found is not None} == {
        "require.embeddings": "The target does not support all rules of this group.",
        "baseline.chat.shape": "baseline.toml, line 4: delete the line.",
    }


def test_stored_evidence_has_no_time(make: Callable[..., Report]) -> None:
    assert ET.fromstring(junit.render(make(PASS, seconds=None)).encode()).get("time") is None


def test_properties_carry_title_level_source_and_verdict(make: Callable[..., Report]) -> None:
    properties = {p.get("name"): p.get("value") for p in case_of(make(FAIL)).iter("property")}

    assert properties == {
        "title": "Title of chat.stream.done",
        "level": "must",
        "source": "source of chat.stream.done",
        "verdict": "fail",
        "cause": "chat.stream.done",
    }


def test_a_rule_that_is_not_broken_has_no_cause(make: Callable[..., Report]) -> None:
    assert "cause" not in {p.get("name") for p in case_of(make(PASS)).iter("property")}


def test_a_failure_names_the_cause_that_is_not_the_rule_itself(make: Callable[..., Report]) -> None:
    cause = Cause("no-end", "Streams never end", "no end", "all", ("chat.stream.done",))
    alone, explained = (case_of(make(FAIL, causes=causes)).find("failure") for causes in ((), (cause,)))

    assert alone is not None
    assert "cause:" not in (alone.text or "")
    assert explained is not None
    assert "\ncause: Streams never end\n" in (explained.text or "")


def test_control_characters_of_an_answer_are_written_as_escapes(make: Callable[..., Report]) -> None:
    failure = case_of(make(FAIL)).find("failure")

    assert failure is not None
    assert failure.get("message") == r"the stream ended \x1b[31mwithout it (in 2 of 3 exchanges)"
    assert "byte 6: data:" in (failure.text or "")


@pytest.mark.parametrize(
    ("text", "written"),
    [("\0\x08", r"\x00\x08"), ("\ud800\uffff", r"\ud800\uffff"), ("a\tb\n🙂", "a\tb\n🙂")],
)
def test_only_what_xml_cannot_hold_is_escaped(text: str, written: str) -> None:
    assert junit.xml_text(text) == written
