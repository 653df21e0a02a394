"""Schemathesis's own checks as rules: what each finds, what it ignores, and what they need from Schemathesis."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import schemathesis
from gonogo import evidence
from gonogo.errors import GonogoError
from gonogo.exchange import Chunk
from gonogo.fuzz import Budget, consulting, inside
from gonogo.judge.checks.fuzz import EXPECTED
from gonogo.reasons import Reason
from gonogo.rules import load
from gonogo.stimuli.fuzzed import Meant, case
from gonogo.verdict import Verdict
from suite.fuzz.passes import Pass, all_of_schemathesis, answer, fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange, Request

    Over = Callable[..., Pass]

ROOT = Path(__file__).resolve().parents[3]
ERROR = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}}
TEAPOT = json.dumps(ERROR)


def _of(exchange: Exchange, meant: Meant) -> bool:
    what = case(exchange.stimulus)
    return what is not None and what.meant is meant


def _teapots(_: Request, exchange: Exchange) -> Exchange:
    """A framework that refuses with its own status."""
    return answer(exchange, 418, TEAPOT) if exchange.status == 400 else exchange


def _labels_nothing(request: Request, exchange: Exchange) -> Exchange:
    """A server that labels whole completions as text."""
    if exchange.status != 200 or request.path != "/completions" or exchange.is_stream:
        return exchange
    return replace(exchange, headers=(("content-type", "text/plain"),))


def _is_busy(retry_after: str) -> Callable[[Request, Exchange], Exchange]:
    """A server that refuses requests with a seed as busy, with a Retry-After."""

    def change(request: Request, exchange: Exchange) -> Exchange:
        if case(exchange.stimulus) is None or fields(request).get("seed") is None:
            return exchange
        busy = answer(exchange, 429, TEAPOT)
        return replace(busy, headers=(*busy.headers, ("retry-after", retry_after)))

    return change


def _forgets_choices(request: Request, exchange: Exchange) -> Exchange:
    """A server that omits the choices if a seed is given."""
    if exchange.status != 200 or exchange.is_stream or fields(request).get("seed") is None:
        return exchange
    body = json.loads(exchange.body)
    body.pop("choices", None)
    return replace(exchange, chunks=(Chunk(0.1, json.dumps(body).encode()),))


def _takes_all_methods(_: Request, exchange: Exchange) -> Exchange:
    """A router that ignores the method, and answers other methods with 404."""
    return answer(exchange, 400, TEAPOT) if _of(exchange, Meant.METHOD) else exchange


FAULTS = {
    "status_code_conformance": _teapots,
    "content_type_conformance": _labels_nothing,
    "response_headers_conformance": _is_busy("in a while"),
    "response_schema_conformance": _forgets_choices,
    "unsupported_method": _takes_all_methods,
}


def _more_fields(_: Request, exchange: Exchange) -> Exchange:
    """Extra members and headers, a charset, and a request id."""
    if exchange.status is None or exchange.is_stream:
        return exchange
    body = json.loads(exchange.body) if exchange.body else {}
    data = (
        json.dumps(body | {"x_vendor": {"a": 1}}).encode()
        if isinstance(body, dict) and body
        else exchange.body
    )
    kept = tuple((name, value) for name, value in exchange.headers if name.lower() != "content-type")
    headers = (*kept, ("content-type", "application/json; charset=utf-8"), ("x-request-id", "r-1"))
    return replace(exchange, headers=headers, chunks=(Chunk(0.1, data),))


def _is_unaware_of_methods(_: Request, exchange: Exchange) -> Exchange:
    """501 for a method that the server does not implement (RFC 9110 15.6.2)."""
    return answer(exchange, 501, TEAPOT) if _of(exchange, Meant.METHOD) else exchange


def _lacks_optional_members(_: Request, exchange: Exchange) -> Exchange:
    """No logprobs and no refusal, which have their own rules."""
    if exchange.status != 200 or exchange.is_stream:
        return exchange
    body = json.loads(exchange.body)
    for choice in body.get("choices", []):
        choice.pop("logprobs", None)
        choice.get("message", {}).pop("refusal", None)
    return replace(exchange, chunks=(Chunk(0.1, json.dumps(body).encode()),))


HARMLESS = {
    "extensions, a charset and an id": _more_fields,
    "a date to ask again at": _is_busy("Fri, 31 Dec 1999 23:59:59 GMT"),
    "501 for unknown methods": _is_unaware_of_methods,
    "no logprobs and no refusal": _lacks_optional_members,
}


COMPLETION = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1_700_000_000,
    "model": "ideal",
    "choices": [{"index": 0, "text": "a", "logprobs": None, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
NO_KEY = {"ignored_auth": Verdict.NOT_APPLICABLE}
GENERATING = ("/chat/completions", "/completions", "/embeddings")


def _keyed(*paths: str, opened: str = "") -> Callable[[Request, Exchange], Exchange]:
    """A target that is called with a key on these paths, and requires one on all paths but the open one."""

    def change(request: Request, exchange: Exchange) -> Exchange:
        if request.path not in paths:
            return exchange
        if not request.anonymous:
            sent = replace(request, headers=(*request.headers, ("authorization", "Bearer right")))
            return replace(exchange, request=sent)
        if request.path == opened:
            return answer(exchange, 200, json.dumps(COMPLETION))
        return answer(exchange, 401, TEAPOT)

    return change


KEYS = {
    "a key on all paths but one": _keyed(*GENERATING, opened="/completions"),
    "a key on all paths": _keyed(*GENERATING),
    "a key on no path": _keyed("/completions", opened="/completions"),
}


FEWER = Budget(cases=400)
"""Enough for each check to have answers to look at; with 200, the one about methods has too few."""


@pytest.fixture(scope="module")
def asked(over: Over) -> dict[str, Pass]:
    """The passes over each target here, and over a correct one, with the results of Schemathesis."""
    changed = {name: over(change, FEWER) for name, change in (FAULTS | HARMLESS | KEYS).items()}
    return all_of_schemathesis({"sound": over(budget=FEWER), **changed})


def test_an_operation_that_takes_requests_without_the_key_of_the_others_is_found(
    asked: dict[str, Pass],
) -> None:
    found = asked["a key on all paths but one"]
    judgement = found.judgements["ignored_auth"]

    assert found.turned == {"ignored_auth": Verdict.WARN}
    assert re.match(r"status 200 with(out a| a wrong) key \(in 2 of ", judgement.actual)
    assert {exchange.request.path for exchange in found.shown("ignored_auth")} == {"/completions"}


def test_a_target_that_asks_for_the_key_everywhere_passes(asked: dict[str, Pass]) -> None:
    assert asked["a key on all paths"].turned == {}


def test_a_target_that_asks_for_no_key_is_not_blamed_for_it(asked: dict[str, Pass]) -> None:
    found = asked["a key on no path"]

    assert found.turned == {"ignored_auth": Verdict.UNSUPPORTED}
    assert found.judgements["ignored_auth"].because.reason is Reason.NO_KEY_NEEDED


def test_on_a_target_that_keeps_the_contract_all_of_them_pass(asked: dict[str, Pass]) -> None:
    assert asked["sound"].turned == {"ignored_auth": Verdict.NOT_APPLICABLE}  # no key was given
    assert asked["sound"].judgements.keys() == {*EXPECTED, "ignored_auth"}
    assert EXPECTED.keys() == FAULTS.keys()


@pytest.mark.parametrize("name", FAULTS)
def test_each_catches_its_fault_and_the_others_do_not(asked: dict[str, Pass], name: str) -> None:
    found = asked[name]
    judgement = found.judgements[name]

    assert found.turned == {name: Verdict.WARN, "ignored_auth": Verdict.NOT_APPLICABLE}
    assert judgement.expected == EXPECTED[name]
    assert re.search(r"\(in \d+ of \d+ cases of --fuzz-seed 0", judgement.actual)
    assert len(judgement.evidence) >= 1


@pytest.mark.parametrize("change", HARMLESS)
def test_allowed_behaviour_fails_no_check(asked: dict[str, Pass], change: str) -> None:
    assert set(asked[change].turned.values()) <= {
        Verdict.INCONCLUSIVE,
        Verdict.NOT_APPLICABLE,
    }


@pytest.mark.usefixtures("measured_processes")
def test_stored_evidence_is_judged_the_same(asked: dict[str, Pass], tmp_path: Path) -> None:
    found = asked["status_code_conformance"]
    evidence.write(tmp_path / "e.jsonl", found.record)
    read = Pass(evidence.read(tmp_path / "e.jsonl")).of_schemathesis()

    assert read.judgements == found.judgements


def test_without_schemathesis_the_rules_are_open_and_say_what_to_install(
    over: Over, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consulting, "find_spec", lambda _: None)
    found = over().of_schemathesis()

    assert found.turned == dict.fromkeys(EXPECTED, Verdict.INCONCLUSIVE) | NO_KEY
    assert {found.judgements[name].because.reason for name in EXPECTED} == {Reason.NOT_INSTALLED}


def test_a_check_that_breaks_is_one_sentence(over: Over, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consulting, "_COMMAND", ["python3", "-c", "raise SystemExit('no such check')"])
    with pytest.raises(GonogoError, match=r"^Schemathesis could not check the answers: no such check\.$"):
        over(budget=Budget(cases=20)).of_schemathesis()


def test_undocumented_parts_of_schemathesis_are_in_one_module_and_exist_in_the_pinned_version() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (pin,) = (name for name in extras["fuzz"] if name.startswith("schemathesis"))
    imports = {
        path.name
        for path in (ROOT / "conformance/gonogo").rglob("*.py")
        if re.search(r"^\s*(from|import) schemathesis\.", path.read_text(), re.MULTILINE)
    }

    assert pin == "schemathesis==4.32.*"
    assert version("schemathesis").startswith("4.32.")
    assert imports == {"inside.py"}
    assert all(callable(inside.check_named(name)) for name in EXPECTED)
    assert (
        inside.probing_methods(schemathesis.GenerationMode.NEGATIVE).phase.data.scenario
        == "unspecified_http_method"
    )


def test_each_rule_names_its_check() -> None:
    rules = {scenario.rule.id: scenario.rule for scenario in load(fuzz=True).select(["fuzz"])}

    assert rules.keys() == {f"fuzz.{name}" for name in (*EXPECTED, "ignored_auth")}
    assert all(
        rule.source.endswith(f"Schemathesis, {rule_id.partition('.')[2]}") for rule_id, rule in rules.items()
    )
