"""The JSON report has the form that its schema and the documentation describe."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import jsonschema_rs
import pytest
from gonogo import __version__
from gonogo.baseline import Kind, Problem
from gonogo.reasons import Reason
from gonogo.report import json as json_report
from gonogo.verdict import Because, Cause, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonogo.report.model import Report
    from gonogo.verdict import Judgement

STALE = Problem(Kind.STALE, "chat.shape", "baseline.toml", 4, "baseline.toml, line 4: delete the line.")
VALIDATOR = jsonschema_rs.validator_for(json_report.schema())


@pytest.mark.parametrize("seconds", [None, 0.1234])
def test_a_report_with_every_verdict_fits_the_schema(
    make: Callable[..., Report], seconds: float | None
) -> None:
    report = make(*Verdict, seconds=seconds, require=["embeddings"], problems=[STALE])

    VALIDATOR.validate(json_report.document(report))


def test_an_empty_report_fits_the_schema_and_is_not_judged(make: Callable[..., Report]) -> None:
    document = json_report.document(make())

    VALIDATOR.validate(document)
    assert document["verdict"] == "not-judged"


def test_the_schema_refuses_a_rule_without_its_source(make: Callable[..., Report]) -> None:
    document = json_report.document(make(Verdict.PASS))
    del document["rules"][0]["source"]

    assert not VALIDATOR.is_valid(document)


def test_the_head_names_target_answer_cost_and_totals(make: Callable[..., Report]) -> None:
    document = json.loads(json_report.render(make(Verdict.PASS, Verdict.FAIL)))

    assert {
        key: document[key] for key in ("gonogo", "report_version", "verdict", "target", "seconds", "cost")
    } == {
        "gonogo": __version__,
        "report_version": 2,
        "verdict": "no-go",
        "target": {"base_url": "http://127.0.0.1:8000/v1", "model": "m", "embedding_model": None},
        "seconds": 1.5,
        "cost": {"requests": 2, "prompt_tokens": 7, "completion_tokens": 3},
    }
    assert document["totals"] == {
        "pass": 1, "fail": 1, "warn": 0, "unsupported": 0, "inconclusive": 0, "not-applicable": 0, "waived": 0,
        "error": 0,
    }  # fmt: skip


def test_a_failure_carries_what_one_needs_to_act_on_it(make: Callable[..., Report]) -> None:
    (rule,) = json_report.document(make(Verdict.FAIL))["rules"]

    assert rule == {
        "id": "chat.stream.done",
        "title": "Title of chat.stream.done",
        "level": "must",
        "group": "chat.stream",
        "verdict": "fail",
        "message": "the stream ended \x1b[31mwithout it (in 2 of 3 exchanges)",
        "expected": "[DONE]",
        "actual": "the stream ended \x1b[31mwithout it",
        "cause": "chat.stream.done",
        "reason": None,
        "values": {},
        "since": "2026-12",
        "witnesses": [],
        "waived": None,
        "breaks": [],
        "exchanges": ["x2", "x1"],
        "position": {"offset": 6, "seconds": 0.25, "excerpt": 'data: {"a": "\x1b[31m"}'},
        "curl": (
            "curl -sS -i -N http://127.0.0.1:8000/v1/chat/completions -H 'content-type: application/json' "
            """--data-raw '{"model": "m", "stream": true}'"""
        ),
        "source": "source of chat.stream.done",
        "why": "reason of chat.stream.done",
    }


def test_missing_values_of_a_rule_are_null(make: Callable[..., Report]) -> None:
    (rule,) = json_report.document(make(Verdict.ERROR))["rules"]

    assert [rule[key] for key in ("expected", "actual", "cause", "waived", "position", "curl")] == [None] * 6
    assert (rule["exchanges"], rule["witnesses"]) == ([], [])


def test_an_undecided_rule_has_a_reason_code_with_its_values(make: Callable[..., Report]) -> None:
    refused, undecided = json_report.document(make(Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE))["rules"]

    assert (refused["reason"], refused["values"]) == ("refused", {"status": 404})
    assert (undecided["reason"], undecided["values"]) == ("limit-not-reached", {"found": 3, "limit": 8})
    assert undecided["exchanges"] == ["x1"]


def test_a_value_that_json_does_not_know_is_text(
    make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
) -> None:
    odd = Because(Reason.REFUSED, {"status": (404, "no")})
    (rule,) = json_report.document(make(replace(rows[Verdict.UNSUPPORTED], because=odd)))["rules"]

    assert rule["values"] == {"status": "(404, 'no')"}


def test_a_pass_says_what_it_rests_on_how_often_and_where(make: Callable[..., Report]) -> None:
    (rule,) = json_report.document(make(Verdict.PASS))["rules"]

    assert rule["witnesses"] == [{"what": "chunk with an id", "count": 4, "exchanges": ["x1", "x2"]}]
    assert (rule["reason"], rule["cause"]) == (None, None)


def test_a_waived_rule_has_the_reason_of_the_baseline_and_what_was_found(make: Callable[..., Report]) -> None:
    (rule,) = json_report.document(make(Verdict.WAIVED))["rules"]

    assert (rule["verdict"], rule["waived"]) == ("waived", "our issue 12")
    assert (rule["expected"], rule["actual"]) == ("two ids", "two calls share one")


def test_a_cause_names_its_rules_and_they_name_it(
    make: Callable[..., Report], rows: Mapping[Verdict, Judgement]
) -> None:
    shown = rows[Verdict.FAIL].evidence[0]
    cause = Cause(
        "no-end", "Streams never end", "no end", "all", ("chat.stream.done", "chat.stream.usage"),
        ("chat.stop",), shown,
    )  # fmt: skip
    document = json_report.document(
        make(Verdict.PASS, Verdict.FAIL, Verdict.WARN, Verdict.INCONCLUSIVE, causes=(cause,))
    )
    (written,) = document["causes"]

    assert written.pop("curl").startswith("curl -sS -i -N http://127.0.0.1:8000/v1/chat/completions ")
    assert written == {
        "id": "no-end",
        "title": "Streams never end",
        "verdict": "fail",
        "seen": "no end",
        "breaks": "all",
        "rules": ["chat.stream.done", "chat.stream.usage"],
        "undecided": ["chat.stop"],
        "exchange": "x2",
        "position": {"offset": 6, "seconds": 0.25, "excerpt": 'data: {"a": "\x1b[31m"}'},
    }
    assert [rule["cause"] for rule in document["rules"]] == [None, "no-end", "no-end", "no-end"]


@pytest.mark.parametrize("lacking", ["cause", "reason", "values", "witnesses"])
def test_the_schema_refuses_a_rule_that_says_no_more_than_version_1(
    make: Callable[..., Report], lacking: str
) -> None:
    document = json_report.document(make(Verdict.FAIL))
    del document["rules"][0][lacking]

    assert not VALIDATOR.is_valid(document)
