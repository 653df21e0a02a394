"""The JSON report has the form that its schema and the documentation promise."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jsonschema_rs
import pytest
from gonogo import __version__
from gonogo.baseline import Kind, Problem
from gonogo.report import json as json_report
from gonogo.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.report.model import Report

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
        "report_version": 1,
        "verdict": "no-go",
        "target": {"base_url": "http://127.0.0.1:8000/v1", "model": "m", "embedding_model": None},
        "seconds": 1.5,
        "cost": {"requests": 2, "prompt_tokens": 7, "completion_tokens": 3},
    }
    assert document["totals"] == {
        "pass": 1, "fail": 1, "warn": 0, "unsupported": 0, "inconclusive": 0, "waived": 0, "error": 0,
    }  # fmt: skip


def test_a_failure_carries_what_one_needs_to_act_on_it(make: Callable[..., Report]) -> None:
    (rule,) = json_report.document(make(Verdict.FAIL))["rules"]

    assert rule == {
        "id": "chat.stream.done",
        "title": "Title of chat.stream.done",
        "level": "must",
        "group": "chat.stream",
        "verdict": "fail",
        "message": "The stream ended \x1b[31mwithout it",
        "expected": "[DONE]",
        "actual": "The stream ended \x1b[31mwithout it",
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


def test_what_a_rule_has_not_is_null(make: Callable[..., Report]) -> None:
    (rule,) = json_report.document(make(Verdict.ERROR))["rules"]

    assert [rule[key] for key in ("expected", "actual", "position", "curl")] == [None] * 4
    assert rule["exchanges"] == []
