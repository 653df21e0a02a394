"""The SARIF report is accepted by code scanning: the standard's form, and a location for every result."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from gonogo.baseline import Kind, Problem
from gonogo.report import sarif
from gonogo.verdict import Cause, Level, Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.report.model import Report

STALE = Problem(Kind.STALE, "chat.shape", "ci/base line.toml", 4, "ci/base line.toml, line 4: delete it.")

# The parts of SARIF 2.1.0 that are used, with the requirements of the standard (3.13 to 3.58) and of GitHub's page on
# it. The whole schema is OASIS's; if GONOGO_SARIF_SCHEMA names a copy, the report is validated against it too.
MESSAGE = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
RULE = {
    "type": "object",
    "required": ["id", "shortDescription", "fullDescription", "help", "defaultConfiguration"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string"},
        "shortDescription": MESSAGE,
        "fullDescription": MESSAGE,
        "help": {**MESSAGE, "additionalProperties": False, "properties": {"text": {}, "markdown": {}}},
        "defaultConfiguration": {"additionalProperties": False, "properties": {"level": LEVEL}},
        "properties": {"properties": {"tags": {"type": "array", "uniqueItems": True, "maxItems": 10}}},
    },
}
LOCATION = {
    "required": ["physicalLocation"],
    "additionalProperties": False,
    "properties": {
        "physicalLocation": {
            "required": ["artifactLocation", "region"],
            "additionalProperties": False,
            "properties": {
                "artifactLocation": {
                    "required": ["uri"],
                    "additionalProperties": False,
                    "properties": {"uri": {"type": "string", "format": "uri-reference", "minLength": 1}},
                },
                "region": {
                    "required": ["startLine"],
                    "additionalProperties": False,
                    "properties": {"startLine": {"type": "integer", "minimum": 1}},
                },
            },
        }
    },
}
RESULT = {
    "type": "object",
    "required": [
        "ruleId",
        "ruleIndex",
        "level",
        "message",
        "locations",
        "partialFingerprints",
        "suppressions",
    ],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": MESSAGE,
        "locations": {"type": "array", "minItems": 1, "maxItems": 10, "items": LOCATION},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "suppressions": {
            "type": "array",
            "items": {
                "required": ["kind"],
                "additionalProperties": False,
                "properties": {
                    "kind": {"enum": ["inSource", "external"]},
                    "status": {"enum": ["accepted", "underReview", "rejected"]},
                    "justification": {"type": "string"},
                },
            },
        },
        "properties": {"type": "object"},
    },
}
INVOCATION = {
    "required": ["executionSuccessful"],
    "additionalProperties": False,
    "properties": {
        "executionSuccessful": {"type": "boolean"},
        "toolExecutionNotifications": {
            "type": "array",
            "items": {
                "required": ["message"],
                "additionalProperties": False,
                "properties": {"message": MESSAGE, "level": LEVEL, "associatedRule": {"required": ["id"]}},
            },
        },
    },
}
LOG = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["$schema", "version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "required": ["name", "semanticVersion", "rules"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string"},
                                    "semanticVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
                                    "rules": {"type": "array", "uniqueItems": True, "items": RULE},
                                },
                            }
                        },
                    },
                    "invocations": {"type": "array", "items": INVOCATION},
                    "results": {"type": "array", "maxItems": 25000, "items": RESULT},
                },
            },
        },
    },
}


def run_of(report: Report) -> dict[str, Any]:
    (run,) = json.loads(sarif.render(report))["runs"]
    return run


def result_of(report: Report) -> dict[str, Any]:
    (result,) = run_of(report)["results"]
    return result


def place_of(result: dict[str, Any]) -> tuple[str, int]:
    physical = result["locations"][0]["physicalLocation"]
    return physical["artifactLocation"]["uri"], physical["region"]["startLine"]


@pytest.fixture
def full(make: Callable[..., Report]) -> Report:
    """A report with every verdict, and a baseline entry that is no-go."""
    return make(*Verdict, problems=[STALE])


def test_a_report_with_every_verdict_has_the_form_of_the_standard(full: Report) -> None:
    jsonschema_rs.validator_for(LOG, validate_formats=True).validate(sarif.document(full))


@pytest.mark.skipif("GONOGO_SARIF_SCHEMA" not in os.environ, reason="GONOGO_SARIF_SCHEMA names no copy of it")
def test_a_report_with_every_verdict_fits_the_schema_of_the_standard(full: Report) -> None:
    schema = json.loads(Path(os.environ["GONOGO_SARIF_SCHEMA"]).read_bytes())

    jsonschema_rs.validator_for(schema, validate_formats=True).validate(sarif.document(full))


def test_results_are_what_is_broken_and_rules_are_all_that_were_judged(full: Report) -> None:
    run = run_of(full)
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]

    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [
        ("chat.stream.done", "error"),
        ("chat.stream.usage", "warning"),
        ("chat.tools.ids", "error"),
        ("baseline.stale", "error"),
    ]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [r["ruleId"] for r in run["results"]]
    assert {judgement.rule.id for judgement in full.judgements} < set(rules)


def test_a_rule_helps_with_its_source_its_reason_and_its_steps(
    make: Callable[..., Report], rows: dict[Verdict, Any]
) -> None:
    told = Rule("a.b", "Titled", Level.MAY, "RFC 9110, 1", "a client breaks (o/r#1)", ("When x", "Then y"))
    (rule, *_) = run_of(make(replace(rows[Verdict.PASS], rule=told)))["tool"]["driver"]["rules"]

    assert rule["shortDescription"]["text"] == "Titled"
    assert all(
        part in rule["help"]["text"] for part in ("RFC 9110, 1", "a client breaks (o/r#1)", "When x\nThen y")
    )
    assert all(
        part in rule["help"]["markdown"] for part in ("RFC 9110, 1", "a client breaks", "When x\nThen y")
    )
    assert rule["defaultConfiguration"]["level"] == "note"


def test_a_failure_says_what_was_found_and_expected_and_how_to_see_it_again(
    make: Callable[..., Report],
) -> None:
    result = result_of(make(Verdict.FAIL))

    assert result["message"]["text"] == (
        "Title of chat.stream.done. Expected: [DONE]. "
        "Found: the stream ended \x1b[31mwithout it (in 2 of 3 exchanges)."
    )
    assert (result["properties"]["expected"], result["properties"]["actual"]) == (
        "[DONE]",
        "the stream ended \x1b[31mwithout it",
    )
    assert result["properties"]["cause"] == "chat.stream.done"
    assert result["properties"]["exchange"] == "x2"
    assert result["properties"]["curl"].startswith(
        "curl -sS -i -N http://127.0.0.1:8000/v1/chat/completions "
    )
    assert result["suppressions"] == []


def test_a_failure_names_the_cause_that_is_not_the_rule_itself(make: Callable[..., Report]) -> None:
    cause = Cause("no-end", "Streams never end", "no end", "all", ("chat.stream.done",))
    result = result_of(make(Verdict.FAIL, causes=(cause,)))

    assert result["message"]["text"].endswith("exchanges). Cause: Streams never end.")
    assert result["properties"]["cause"] == "no-end"


def test_a_waived_rule_is_suppressed_with_the_reason(make: Callable[..., Report]) -> None:
    result = result_of(make(Verdict.PASS, Verdict.WAIVED))

    assert result["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "our issue 12"}
    ]
    assert result["level"] == "error"


@pytest.mark.parametrize(
    ("base_url", "place"),
    [
        ("http://127.0.0.1:8000/v1", "127.0.0.1/v1/chat/completions"),
        ("https://gateway.example/openai/v1/", "gateway.example/openai/v1/chat/completions"),
        ("http://[::1]:8000", "%3A%3A1/chat/completions"),
    ],
)
def test_a_result_lies_at_host_and_path_without_scheme_and_port(
    make: Callable[..., Report], base_url: str, place: str
) -> None:
    report = make(Verdict.FAIL)
    moved = replace(report, target=replace(report.target, base_url=base_url))

    assert place_of(result_of(moved)) == (place, 1)


@pytest.mark.parametrize("path", ["", "/models/a b:c?x=1", "/models/../%2e/a%2Fb", "//x//", "/\u00e9\n"])
def test_no_path_of_a_request_makes_a_place_that_is_refused(path: str) -> None:
    place = sarif._endpoint("http://h:1/v1", path)

    assert re.fullmatch(r"h/v1(/[A-Za-z0-9._~%-]+)*", place)
    assert not {".", ".."} & set(place.split("/"))


def test_an_entry_of_the_baseline_points_at_its_line(make: Callable[..., Report]) -> None:
    result = result_of(make(Verdict.PASS, problems=[STALE]))

    assert place_of(result) == ("ci/base%20line.toml", 4)
    assert result["message"]["text"] == STALE.message


def test_an_alert_stays_the_same_alert_on_another_port_and_in_another_exchange(
    make: Callable[..., Report],
) -> None:
    report = make(Verdict.FAIL)
    later = replace(report, target=replace(report.target, base_url="http://127.0.0.1:9999/v1"))
    first, second = result_of(report), result_of(later)

    assert first["partialFingerprints"] == second["partialFingerprints"]
    assert place_of(first) == place_of(second)


def test_a_check_that_broke_is_a_notification_of_a_run_that_did_not_succeed(
    make: Callable[..., Report],
) -> None:
    (invocation,) = run_of(make(Verdict.PASS, Verdict.ERROR))["invocations"]

    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"] == [
        {
            "level": "error",
            "message": {"text": "internal error while checking these answers: KeyError: 'a' (seeds.py:7)"},
            "associatedRule": {"id": "chat.seed"},
        }
    ]
