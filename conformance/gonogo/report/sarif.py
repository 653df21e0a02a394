"""The report as SARIF 2.1.0, for code scanning.

Results are the broken rules. A waived one has its suppression; a baseline entry that is no-go points to its line.
An endpoint is not a file, and code scanning accepts neither a result without a file nor one at an http address
(github/codeql-action#754, #1738). A broken rule therefore gets a relative path made of the request's host and path,
without the port, so that it has the same location in the next run.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from gonogo import __version__
from gonogo.baseline import Kind
from gonogo.report.breaks import breaks
from gonogo.report.curl import curl
from gonogo.report.model import Gate, shown_exchange
from gonogo.report.wording import message, whose
from gonogo.verdict import Level, Verdict

if TYPE_CHECKING:
    from gonogo.baseline import Problem
    from gonogo.report.model import Report
    from gonogo.verdict import Judgement, Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Level.MUST: "error", Level.SHOULD: "warning", Level.MAY: "note"}
RESULTS = frozenset({Verdict.FAIL, Verdict.WARN, Verdict.WAIVED})
ENTRIES = {
    Kind.STALE: "A baseline entry whose rule passes",
    Kind.UNKNOWN: "A baseline entry for a rule that does not exist",
    Kind.EXPIRED: "A baseline entry that has expired",
}


def render(report: Report) -> str:
    """The JSON text, indented, ASCII only, with a trailing line break."""
    return json.dumps(document(report), indent=1, allow_nan=False) + "\n"


def document(report: Report) -> dict[str, Any]:
    """The SARIF log as plain JSON values: one run, every judged rule, one result for each broken one."""
    rules = [_descriptor(judgement.rule) for judgement in report.judgements]
    rules += [_entry_descriptor(kind) for kind in ENTRIES]
    places = {rule["id"]: index for index, rule in enumerate(rules)}
    results = [_result(found, report) for found in report.judgements if found.verdict in RESULTS]
    results += [_entry_result(problem) for problem in report.problems]
    for result in results:
        result["ruleIndex"] = places[result["ruleId"]]
    run = {
        "tool": {"driver": {"name": "gonogo", "semanticVersion": __version__, "rules": rules}},
        "invocations": [_invocation(report)],
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _descriptor(rule: Rule) -> dict[str, Any]:
    steps = "\n".join(rule.steps)
    text = f"{rule.title}\n\nSource: {rule.source}\n\nWhy: {rule.why}"
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {
            "text": f"{text}\n\n{steps}" if steps else text,
            "markdown": f"**Source:** {rule.source}\n\n**Why:** {rule.why}\n\n```gherkin\n{steps}\n```\n",
        },
        "defaultConfiguration": {"level": LEVELS[rule.level]},
        "properties": {"tags": [rule.level.value, rule.group]},
    }


def _entry_descriptor(kind: Kind) -> dict[str, Any]:
    return {
        "id": f"baseline.{kind.value}",
        "shortDescription": {"text": ENTRIES[kind]},
        "fullDescription": {"text": ENTRIES[kind]},
        "help": {"text": "Delete the line, so that the baseline lists only broken rules."},
        "defaultConfiguration": {"level": "error"},
    }


def _result(judgement: Judgement, report: Report) -> dict[str, Any]:
    rule, exchange = judgement.rule, shown_exchange(judgement, report.exchanges)
    wanted = f" Expected: {judgement.expected}." if judgement.expected else ""
    cause = report.another_cause(judgement)
    behind = "" if cause is None else f" Cause: {cause.title}."
    models = report.models_with(judgement)
    of_whom = f" Models: {whose(report, models)}." if models else ""
    path = "" if exchange is None else exchange.request.path
    command = None if exchange is None else curl(exchange.request, report.target.base_url)
    return {
        "ruleId": rule.id,
        "level": LEVELS[rule.level],
        "message": {"text": f"{rule.title}.{wanted} Found: {message(judgement)}.{of_whom}{behind}"},
        "locations": [_location(_endpoint(report.target.base_url, path), 1)],
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(rule.id)},
        "suppressions": _suppressions(judgement),
        "properties": {
            "expected": judgement.expected,
            "actual": judgement.actual,
            "cause": judgement.cause,
            **({"models": list(models)} if models else {}),
            "exchange": None if exchange is None else exchange.id,
            "curl": command,
            "breaks": list(breaks(judgement, report)),
        },
    }


def _entry_result(problem: Problem) -> dict[str, Any]:
    path = Path(problem.path)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    return {
        "ruleId": f"baseline.{problem.kind.value}",
        "level": "error",
        "message": {"text": problem.message},
        "locations": [_location(uri, problem.line)],
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(f"{problem.kind} {problem.rule}")},
        "suppressions": [],
    }


def _suppressions(judgement: Judgement) -> list[dict[str, str]]:
    """The suppressions; if one result of a run has any, all must have the member (SARIF 2.1.0, 3.27.23)."""
    if judgement.verdict is not Verdict.WAIVED:
        return []
    return [
        {
            "kind": "external",
            "status": "accepted",
            "justification": judgement.waived.reason if judgement.waived else "",
        }
    ]


def _location(uri: str, line: int) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}}


def _endpoint(base_url: str, path: str) -> str:
    """Host and path as a relative reference: no scheme, no colon, no empty or dotted segment."""
    try:
        base = urlsplit(base_url)
        segments = [base.hostname or "", *base.path.split("/")]
    except ValueError:  # in an edited record
        segments = base_url.split("/")
    asked = path.partition("?")[0]
    return "/".join(
        quote(part, safe="") for part in (*segments, *asked.split("/")) if part not in ("", ".", "..")
    )


def _fingerprint(name: str) -> str:
    """The identity of the alert across runs: the rule alone, because there is no source line to hash."""
    return hashlib.sha256(name.encode()).hexdigest()[:16] + ":1"


def _invocation(report: Report) -> dict[str, Any]:
    broke = [judgement for judgement in report.judgements if judgement.verdict is Verdict.ERROR]
    return {
        "executionSuccessful": report.gate is not Gate.NOT_JUDGED,
        "toolExecutionNotifications": [
            {
                "level": "error",
                "message": {"text": message(judgement)},
                "associatedRule": {"id": judgement.rule.id},
            }
            for judgement in broke
        ],
    }
