"""Broken targets and generated requests: the right rule finds each fault, once per cause, with a small request."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from gonogo import evidence
from gonogo.errors import TargetError
from gonogo.exchange import Chunk, Failure, FailureKind
from gonogo.fuzz.campaign import VOLLEY
from gonogo.judge import shape
from gonogo.judge.checks.robustness import ENOUGH, accepted_cases
from gonogo.reasons import Reason
from gonogo.report.curl import curl
from gonogo.stimuli.fuzzed import Meant, case, was_fuzzed
from gonogo.verdict import Verdict
from suite.fuzz.passes import RULES, Pass, accepted, answer, beyond_bmp, fields

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gonogo.exchange import Exchange, Request

    Over = Callable[..., Pass]


def _is_chat(request: Request) -> bool:
    return request.path == "/chat/completions" and request.method == "POST"


def _means(exchange: Exchange) -> Meant | None:
    what = case(exchange.stimulus)
    return what.meant if what else None


CHAT = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "ideal",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "a", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
}
OF_MESSAGES = '{"type": "error", "error": {"message": "no", "type": "invalid_request_error"}}'
UNKNOWN = '{"error": {"message": "no", "type": "invalid_request_error", "param": null, "code": null}}'


@pytest.fixture(scope="module")
def failing(over: Over) -> Pass:
    return over(beyond_bmp)


def test_a_target_that_keeps_the_contract_passes_every_rule(sound: Pass) -> None:
    assert set(sound.judgements) == RULES
    assert sound.turned == {}
    cases = {exchange.id for exchange in sound.cases}
    for judgement in sound.judgements.values():
        assert judgement.witnesses
        assert {witness.exchange for witness in judgement.witnesses} <= cases
    assert accepted_cases(sound.cases) >= ENOUGH
    assert {case(exchange.stimulus).meant for exchange in sound.cases} == set(Meant) - {Meant.KEYLESS}


def test_a_server_error_is_shown_by_a_request_of_one_character(failing: Pass) -> None:
    found = failing
    first = found.shown("no_server_error")[0]

    assert found.turned == {"no_server_error": Verdict.FAIL}
    assert max(first.request.body.decode()) > "\uffff"
    assert len(first.request.body) < 120
    assert "status 500: Internal Server Error" in found.judgements["no_server_error"].actual


def test_the_same_seed_sends_and_shows_the_same(failing: Pass, over: Over) -> None:
    again = over(beyond_bmp)

    assert [(x.stimulus, x.request) for x in failing.cases] == [(x.stimulus, x.request) for x in again.cases]
    assert failing.judgements == again.judgements


def test_two_causes_with_one_message_are_two_and_each_is_small(over: Over) -> None:
    def fails(request: Request, exchange: Exchange) -> Exchange:
        asked = fields(request).get("seed") is not None or fields(request).get("stream")
        broken = accepted(exchange) and asked
        return answer(exchange, 500, "oops", "text/plain") if broken and _is_chat(request) else exchange

    found = over(fails)
    shown = [set(fields(exchange.request)) for exchange in found.shown("no_server_error")]
    base = {"model", "messages", "max_tokens"}

    assert found.turned == {"no_server_error": Verdict.FAIL}
    assert sorted(sorted(names - base) for names in shown) == [["seed"], ["stream"]]
    assert [piece.actual for piece in found.judgements["no_server_error"].evidence] == [
        "status 500: oops"
    ] * 2
    assert (
        "1 more cause: POST /chat/completions: status 500: oops)"
        in found.judgements["no_server_error"].actual
    )
    assert "--fuzz-seed 0" in found.judgements["no_server_error"].actual


def test_a_server_error_that_repeats_the_request_is_one_cause(over: Over) -> None:
    def fails(request: Request, exchange: Exchange) -> Exchange:
        told = f"Failed to parse: {json.dumps(fields(request))}"
        body = json.dumps({"error": {"message": told, "type": "server_error"}})
        warm = fields(request).get("temperature") is not None and accepted(exchange)
        return answer(exchange, 500, body) if warm and _is_chat(request) else exchange

    found = over(fails)

    assert found.turned == {"no_server_error": Verdict.FAIL}
    assert len(found.shown("no_server_error")) == 1


def test_an_error_that_is_a_string_breaks_the_envelope(over: Over) -> None:
    def speaks(_: Request, exchange: Exchange) -> Exchange:
        refused = exchange.status in {400, 404, 415}
        return answer(exchange, exchange.status, '{"error": "no"}') if refused else exchange

    found = over(speaks)

    assert found.turned == {"envelope": Verdict.FAIL}
    assert "error" in found.judgements["envelope"].actual


def test_a_refusal_without_a_type_breaks_the_envelope(over: Over) -> None:
    def speaks(_: Request, exchange: Exchange) -> Exchange:
        body = '{"error": {"message": "no", "param": null, "code": null}}'
        return answer(exchange, 400, body) if exchange.status == 400 else exchange

    assert over(speaks).turned == {"envelope": Verdict.FAIL}


def test_accepted_invalid_requests_are_reported_once_per_wrong_or_missing_field(
    over: Over,
) -> None:
    def takes(request: Request, exchange: Exchange) -> Exchange:
        refused = exchange.status == 400 and _is_chat(request)
        return (
            answer(exchange, 200, '{"made": "up"}')
            if refused and _means(exchange) is Meant.INVALID
            else exchange
        )

    found = over(takes)
    told = [piece.actual or "" for piece in found.judgements["invalid_refused"].evidence]
    places = [
        (re.sub(r"[0-9]+", "", text.split("though ")[1].split(":")[0]), text.endswith("is missing"))
        for text in told
    ]

    assert found.turned == {"invalid_refused": Verdict.WARN}
    # Of two requests with several wrong fields, the first may be the same.
    assert len(set(places)) > 10
    assert max(Counter(places).values()) <= 2
    assert all(len(exchange.request.body) < 120 for exchange in found.shown("invalid_refused")[:2])


def test_refused_valid_requests_with_a_known_parameter_are_warnings(over: Over) -> None:
    def refuses(request: Request, exchange: Exchange) -> Exchange:
        cold = fields(request).get("temperature") == 0 and accepted(exchange)
        return answer(exchange, 400, UNKNOWN) if cold else exchange

    found = over(refuses)

    assert found.turned == {"valid_accepted": Verdict.WARN}
    assert all(fields(exchange.request)["temperature"] == 0 for exchange in found.shown("valid_accepted"))


NOTHING = {"stream": (None, False), "stop": (None,), "frequency_penalty": (None, 0)}
"""Parameters with their neutral values."""


@pytest.mark.parametrize("parameter", NOTHING)
def test_a_parameter_that_is_always_refused_is_not_a_finding(over: Over, parameter: str) -> None:
    def lacks(request: Request, exchange: Exchange) -> Exchange:
        asked = fields(request).get(parameter) not in NOTHING[parameter]
        refusal = OF_MESSAGES if request.path.startswith("/messages") else UNKNOWN
        return answer(exchange, 400, refusal) if asked and accepted(exchange) else exchange

    turned = over(lacks).turned

    assert turned == ({"stream": Verdict.INCONCLUSIVE} if parameter == "stream" else {})


def test_a_path_that_is_not_there_has_no_methods_to_name(over: Over) -> None:
    def lacks(request: Request, exchange: Exchange) -> Exchange:
        return answer(exchange, 404, UNKNOWN) if request.path == "/embeddings" else exchange

    found = over(lacks)

    assert any(_means(one) is Meant.METHOD and one.status == 404 for one in found.cases)
    assert found.turned == {}


def test_reported_accepted_requests_have_one_invalid_field(over: Over) -> None:
    def ignores(request: Request, exchange: Exchange) -> Exchange:
        wrong = _means(exchange) is Meant.INVALID and _is_chat(request) and fields(request)
        return answer(exchange, 200, json.dumps(CHAT)) if wrong else exchange

    shown = over(ignores).shown("invalid_refused")

    assert shown
    for one in shown:
        found = shape.misfits("CreateChatCompletionRequest", fields(one.request))
        assert len({misfit.field for misfit in found}) == 1


def test_the_request_that_stops_a_target_is_named_and_no_other_is_blamed(over: Over) -> None:
    died: list[str] = []

    def dies(request: Request, exchange: Exchange) -> Exchange:
        if isinstance(fields(request).get("prompt"), list):
            died.append(exchange.id)
        gone = died and request.method == "POST"
        return answer(exchange, 404, '{"error": "generation thread died"}') if gone else exchange

    found = over(dies)

    # Whether a method was tried before depends on the mixture.
    assert {name: turned for name, turned in found.turned.items() if name != "method"} == {
        "answered": Verdict.FAIL
    }
    assert found.judgements["answered"].actual == (
        "a plain request was no longer answered (status 404) after one case"
    )
    shown = found.shown("answered")
    assert [one.id for one in shown[:-1]] == died[:1]
    assert shown[-1].stimulus.startswith("alive after ")
    assert [piece.actual for piece in found.judgements["answered"].evidence] == ["status 404"] * 2
    assert accepted_cases(found.cases) >= ENOUGH


def test_a_dropped_connection_is_an_answer_that_is_missing(over: Over) -> None:
    def drops(request: Request, exchange: Exchange) -> Exchange:
        if not (fields(request).get("stop") and accepted(exchange)):
            return exchange
        failure = Failure(FailureKind.RESET, 0.1, "the connection closed before the answer was complete")
        return replace(exchange, status=None, headers=(), chunks=(), failure=failure)

    found = over(drops)

    assert found.turned == {"answered": Verdict.FAIL}
    assert set(fields(found.shown("answered")[0].request)) - {
        "model",
        "messages",
        "max_tokens",
        "prompt",
    } == {"stop"}


def test_an_answer_that_another_parameter_changes_breaks_its_schema(over: Over) -> None:
    def builds(request: Request, exchange: Exchange) -> Exchange:
        odd = fields(request).get("seed") is not None and exchange.media_type == "application/json"
        if not (odd and accepted(exchange)):
            return exchange
        return answer(exchange, 200, json.dumps(json.loads(exchange.body) | {"created": 1.5}))

    found = over(builds)

    assert found.turned == {"response": Verdict.FAIL}
    assert "/created: 1.5" in found.judgements["response"].actual


def test_json_in_place_of_a_stream_is_not_a_stream(over: Over) -> None:
    def ignores(_: Request, exchange: Exchange) -> Exchange:
        return answer(exchange, 200, "{}") if exchange.media_type == "text/event-stream" else exchange

    assert over(ignores).turned == {"stream": Verdict.FAIL}


def test_a_stream_of_forty_events_is_read_to_its_end(over: Over) -> None:
    def cuts(_: Request, exchange: Exchange) -> Exchange:
        if exchange.media_type != "text/event-stream":
            return exchange
        first = exchange.body.partition(b"\n\n")[0] + b"\n\n"
        return replace(exchange, chunks=(Chunk(0.1, first * 40),))

    found = over(cuts)

    assert found.turned == {"stream": Verdict.FAIL}
    assert found.judgements["stream"].actual.startswith("the stream ended without it")


def test_another_answer_to_a_wrong_method_is_only_a_warning(over: Over) -> None:
    def misses(_: Request, exchange: Exchange) -> Exchange:
        if exchange.status != 405:
            return exchange
        return replace(exchange, headers=tuple(h for h in exchange.headers if h[0] != "allow"))

    found = over(misses)

    assert found.turned == {"method": Verdict.WARN}
    assert "405 without Allow" in found.judgements["method"].actual
    assert len(found.shown("method")) == 1


def test_server_errors_are_listed_with_what_sets_them_apart(over: Over) -> None:
    def fails(request: Request, exchange: Exchange) -> Exchange:
        said = "The engine fell over in its part of the request:"
        for name in ("temperature", "stream"):
            if fields(request).get(name) is not None and accepted(exchange) and _is_chat(request):
                return answer(exchange, 500, json.dumps({"error": {"message": f"{said} {name}"}}))
        return exchange

    found = over(fails)

    assert found.judgements["no_server_error"].actual.endswith(("request: temperature)", "request: stream)"))


def test_a_target_that_accepts_next_to_nothing_is_not_judged_well(over: Over) -> None:
    def refuses(request: Request, exchange: Exchange) -> Exchange:
        refusal = OF_MESSAGES if request.path.startswith("/messages") else UNKNOWN
        return answer(exchange, 400, refusal) if accepted(exchange) and request.body else exchange

    found = over(refuses)

    assert found.turned == dict.fromkeys(RULES, Verdict.INCONCLUSIVE)
    for judgement in found.judgements.values():
        assert judgement.because is not None
        assert judgement.because.reason in (Reason.TOO_FEW_CASES, Reason.NO_STREAMED_CASE)
    told = found.judgements["no_server_error"].because
    assert told.reason is Reason.TOO_FEW_CASES
    assert (told.values["found"], told.values["needed"]) == (0, ENOUGH)
    assert told.values["number"] == len(found.cases)


def test_a_target_that_dies_is_not_asked_further(sound: Pass, over: Over) -> None:
    died: list[str] = []

    def dies(request: Request, exchange: Exchange) -> Exchange:
        if accepted(exchange) and case(exchange.stimulus) and fields(request).get("seed") is not None:
            died.append(exchange.id)
        if exchange.id not in died and not exchange.stimulus.startswith("alive after "):
            return exchange
        if not died:
            return exchange
        kind = FailureKind.RESET if exchange.id in died else FailureKind.CONNECT
        failure = Failure(kind, 0.0, "Connection refused")
        return replace(exchange, status=None, headers=(), chunks=(), failure=failure)

    found = over(dies)

    assert found.judgements["answered"].verdict is Verdict.FAIL
    assert "--concurrency 1 sends fewer together" in found.judgements["answered"].actual
    assert found.shown("answered")[0].id in died
    assert died[0] in {exchange.id for exchange in found.cases}
    assert len(found.cases) < len(sound.cases)
    assert found.record.exchanges[-1].stimulus.startswith("alive after ")


def _gone(exchange: Exchange) -> Exchange:
    failure = Failure(FailureKind.CONNECT, 0.0, "Connection refused")
    return replace(exchange, status=None, headers=(), chunks=(), failure=failure)


def test_a_target_that_is_gone_before_the_first_case_is_requested_once_and_not_blamed(over: Over) -> None:
    found = over(lambda _, exchange: _gone(exchange) if case(exchange.stimulus) else exchange)

    assert 0 < len(found.cases) <= VOLLEY * 8
    assert found.turned == dict.fromkeys(RULES, Verdict.INCONCLUSIVE)
    assert {because.reason for because in found.record.unsent.values()} == {Reason.TARGET_GONE}


def test_no_case_is_drawn_for_a_target_that_nothing_has_reached(over: Over) -> None:
    with pytest.raises(TargetError, match=r"The target became unreachable .*; restart it"):
        over(lambda _, exchange: _gone(exchange))


def test_stored_evidence_of_a_pass_is_judged_the_same(failing: Pass, tmp_path: Path) -> None:
    evidence.write(tmp_path / "e.jsonl", failing.record)
    read = Pass(evidence.read(tmp_path / "e.jsonl"))

    assert was_fuzzed(read.record)
    assert read.judgements == failing.judgements


def test_the_command_that_repeats_a_case_shows_its_token_limit(sound: Pass) -> None:
    posted = next(exchange for exchange in sound.cases if "max_tokens" in fields(exchange.request))

    assert '"max_tokens"' in curl(posted.request, "http://127.0.0.1:8000/v1")
