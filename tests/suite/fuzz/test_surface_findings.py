"""Targets whose surface of responses or messages is broken or missing: the right rule finds it, or none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from gonogo.fuzz import Budget
from gonogo.stimuli.fuzzed import Meant, case
from gonogo.verdict import Verdict
from suite.fuzz.passes import Pass, accepted, answer, run_pass

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange, Request
    from gonogo.fuzz.source import Told

    Over = Callable[..., Pass]

UNKNOWN = '{"error": {"message": "no", "type": "invalid_request_error", "param": null, "code": null}}'
SURFACES = ("/responses", "/responses/input_tokens", "/messages", "/messages/count_tokens")


def test_a_surface_that_fails_answers_wrongly_or_breaks_off_its_streams_is_found(over: Over) -> None:
    def breaks(request: Request, exchange: Exchange) -> Exchange:
        if not accepted(exchange) or request.path not in SURFACES:
            return exchange
        if request.path == "/responses/input_tokens":
            return answer(exchange, 500, UNKNOWN)
        if exchange.is_stream:
            return replace(exchange, chunks=exchange.chunks[:-1])
        if request.path == "/messages":
            return answer(exchange, 200, '{"id": "m", "type": "message", "content": "a"}')
        return answer(exchange, 200, '{"input_tokens": "many"}') if "count" in request.path else exchange

    found = over(breaks)

    assert found.turned == dict.fromkeys(("no_server_error", "response", "stream"), Verdict.FAIL)
    assert {shown.request.path for shown in found.shown("no_server_error")} == {"/responses/input_tokens"}
    assert {shown.request.path for shown in found.shown("response")} == {
        "/messages",
        "/messages/count_tokens",
    }
    assert {shown.request.path for shown in found.shown("stream")} == {"/responses", "/messages"}


def test_the_error_of_chat_on_messages_breaks_the_envelope(over: Over) -> None:
    def speaks(request: Request, exchange: Exchange) -> Exchange:
        refused = exchange.status == 400 and request.path.startswith("/messages")
        return answer(exchange, 400, UNKNOWN) if refused else exchange

    found = over(speaks)

    assert found.turned == {"envelope": Verdict.FAIL}
    assert {shown.request.path for shown in found.shown("envelope")} <= set(SURFACES[2:])


@pytest.mark.parametrize("status", [404, 405])
def test_a_missing_surface_is_not_a_finding_and_requested_a_few_times(
    over: Over, sound: Pass, status: int
) -> None:
    def lacks(request: Request, exchange: Exchange) -> Exchange:
        return answer(exchange, status, "No", "text/plain") if request.path in SURFACES else exchange

    def asked(found: Pass) -> int:
        return sum(x.request.path in SURFACES and _is_a_request(x) for x in found.cases)

    found = over(lacks)

    assert found.turned == {}
    assert asked(found) < asked(sound) / 2


@pytest.mark.parametrize("path", [SURFACES[1], SURFACES[3]])
def test_the_count_of_a_request_for_a_stream_is_one_json_object(told: list[Told], path: str) -> None:
    body = {"model": "m", "stream": True}
    body |= (
        {"input": "Hello"} if path == SURFACES[1] else {"messages": [{"role": "user", "content": "Hello"}]}
    )
    count = told[0] | {
        "operation": f"POST {path}",
        "method": "POST",
        "content_type": "application/json",
        "body": {"json": body},
        "positive": True,
        "scenario": None,
    }

    async def source(_seed: int, most: int) -> list[Told]:
        return [count][:most]

    found = run_pass(lambda _, exchange: exchange, Budget(cases=8), source)

    assert [x.status for x in found.cases if x.request.path == path and _is_a_request(x)] == [200]
    assert Verdict.FAIL not in found.turned.values()


def _is_a_request(exchange: Exchange) -> bool:
    """Whether it is no case of a wrong method."""
    what = case(exchange.stimulus)
    return what is not None and what.meant is not Meant.METHOD
