"""The result of a call is sent back to a response in parts, and as a string only where the parts are refused."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from gonogo.judge import judge
from gonogo.reasons import Reason
from gonogo.stimuli.response_requests import AS_STRING, IN_PARTS, MADE_UP
from gonogo.verdict import Verdict
from ideal.refusal import Refusal
from ideal.running import record_run
from ideal.target import IdealTarget

if TYPE_CHECKING:
    from gonogo.evidence import Record
    from gonogo.exchange import Request
    from gonogo.rules import Catalogue
    from gonogo.verdict import Judgement
    from ideal.replies import Reply


class Refusing(IdealTarget):
    """The ideal target, which refuses results of calls of some types, and may call nothing."""

    def __init__(self, *refused: type, status: int = 400, calls: bool = True) -> None:
        super().__init__()
        self._refused = refused
        self._status = status
        self._calls = calls

    def _answer(self, request: Request, number: int) -> Reply:
        fields = request.fields
        items = fields.get("input") if request.path == "/responses" else None
        results = [item["output"] for item in items if "output" in item] if isinstance(items, list) else []
        if any(isinstance(result, self._refused) for result in results):
            raise Refusal("No such result.", status=self._status)
        if not self._calls and fields.get("tool_choice") == "required" and "input" in fields:
            request = _without_tools(request)
        return super()._answer(request, number)


def _without_tools(request: Request) -> Request:
    fields = {name: value for name, value in request.fields.items() if name not in ("tools", "tool_choice")}
    return replace(request, body=json.dumps(fields).encode())


def run(catalogue: Catalogue, target: IdealTarget) -> tuple[Record, dict[str, Judgement]]:
    """The record of the two rules on this target, and their judgements."""
    rules = catalogue.select(["responses.history"])
    record = asyncio.run(record_run(rules, target))
    return record, {one.rule.id.rpartition(".")[2]: one for one in judge(record, rules, catalogue)}


def sent(record: Record) -> list[str]:
    """The keys of the requests that send a result."""
    keys = (IN_PARTS.key, AS_STRING.key)
    return [exchange.stimulus for exchange in record.exchanges if exchange.stimulus in keys]


def test_a_server_that_takes_parts_gets_no_string(catalogue: Catalogue) -> None:
    record, found = run(catalogue, Refusing())
    assert sent(record) == [IN_PARTS.key]
    assert record.unsent[AS_STRING.key].reason is Reason.NOT_REFUSED
    assert {name: one.verdict for name, one in found.items()} == {"own": Verdict.PASS, "parts": Verdict.PASS}


@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_server_that_refuses_parts_and_takes_a_string_breaks_the_rule_of_parts_alone(
    catalogue: Catalogue, status: int
) -> None:
    record, found = run(catalogue, Refusing(list, status=status))
    assert sent(record) == [IN_PARTS.key, AS_STRING.key]
    first, second = (
        next(e for e in record.exchanges if e.stimulus == key).request.fields for key in sent(record)
    )
    assert [item for item in first["input"] if "output" not in item] == [
        item for item in second["input"] if "output" not in item
    ]
    assert {name: one.verdict for name, one in found.items()} == {"own": Verdict.PASS, "parts": Verdict.FAIL}


def test_a_server_that_refuses_both_forms_breaks_the_rule_of_its_own_items_alone(
    catalogue: Catalogue,
) -> None:
    record, found = run(catalogue, Refusing(list, str))
    assert sent(record) == [IN_PARTS.key, AS_STRING.key]
    assert found["own"].verdict is Verdict.FAIL
    assert found["parts"].verdict is Verdict.INCONCLUSIVE
    assert found["parts"].because is not None
    assert found["parts"].because.reason is Reason.PLAIN_REFUSED


@pytest.mark.parametrize("status", [403, 429, 503])
def test_a_refusal_about_the_key_or_the_load_leaves_both_rules_inconclusive(
    catalogue: Catalogue, status: int
) -> None:
    record, found = run(catalogue, Refusing(list, status=status))
    assert sent(record) == [IN_PARTS.key]
    assert {one.verdict for one in found.values()} == {Verdict.INCONCLUSIVE}


@pytest.mark.parametrize(
    ("refused", "verdict"),
    [((), Verdict.PASS), ((list,), Verdict.FAIL), ((list, str), Verdict.INCONCLUSIVE)],
    ids=["nothing", "parts", "both"],
)
def test_a_server_that_calls_nothing_gets_a_call_that_is_made_up_with_its_result(
    catalogue: Catalogue, refused: tuple[type, ...], verdict: Verdict
) -> None:
    record, found = run(catalogue, Refusing(*refused, calls=False))
    assert sent(record)[0] == IN_PARTS.key
    parts = next(exchange for exchange in record.exchanges if exchange.stimulus == IN_PARTS.key)
    assert [item["call_id"] for item in parts.request.fields["input"] if "call_id" in item] == [MADE_UP] * 2
    assert found["parts"].verdict is verdict
    assert found["own"].verdict is Verdict.INCONCLUSIVE
    assert found["own"].because is not None
    assert found["own"].because.reason is Reason.NO_CALL
