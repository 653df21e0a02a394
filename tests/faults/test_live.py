"""Faults that a change of evidence cannot show: servers that die, hang, disconnect, or ask clients to wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from faults.fault import turned, verdicts
from faults.serving import PATIENCE, broken, served
from gonogo.collect.collector import Collector
from gonogo.collect.plan import plan
from gonogo.collect.recorder import Recorder
from gonogo.collection import Approach, collect
from gonogo.evidence import Record, Target
from gonogo.judge import judge
from gonogo.reasons import Reason
from gonogo.stimuli.life import LEFT_TOKENS
from gonogo.stimuli.stimulus import Subject
from gonogo.verdict import Because, Verdict

if TYPE_CHECKING:
    import uvicorn
    from faults.serving import Application, Call
    from gonogo.exchange import Exchange
    from gonogo.rules import Catalogue

HOSTILE = b'"warm"'
HOSTILE_KEY = 'POST /chat/completions {"temperature":"warm"}'
NOT_SENT = {Reason.FEWER_MODELS, Reason.NO_SLASH, Reason.NOT_REFUSED}
"""Why a server that keeps the contract, with few models, is not sent every request."""
"""Why nothing more was sent to a target with one model."""
SHORT = (
    10.0  # seconds; an ordinary answer takes milliseconds, the first grammar waits for its process to start
)


def _collect(
    base_url: str, catalogue: Catalogue, *, concurrency: int = 8, timeout: float = PATIENCE
) -> Record:
    approach = Approach(base_url, embedding_model="scripted", concurrency=concurrency, timeout=timeout)
    run = collect(approach, plan(catalogue))
    (record,) = asyncio.run(asyncio.wait_for(run, 2 * PATIENCE))
    return record


def test_a_server_that_one_request_kills_is_found_and_the_request_named(catalogue: Catalogue) -> None:
    servers: list[uvicorn.Server] = []

    async def die(call: Call, application: Application) -> None:
        await call.forward(application)
        if HOSTILE in call.body:
            for listening in servers[0].servers:
                listening.close()

    with served(broken(die)) as (base_url, server):
        servers.append(server)
        record = _collect(base_url, catalogue, concurrency=1)

    found = verdicts(record, catalogue)
    assert turned(found) == {"http.survives"}
    assert str(found["http.survives"].actual).endswith(f", after {HOSTILE_KEY}")
    shown = {evidence.exchange for evidence in found["http.survives"].evidence}
    assert shown == {e.id for e in record.exchanges if e.stimulus == f"alive after {HOSTILE_KEY}"}
    hostile = next(e.id for e in record.exchanges if e.stimulus == HOSTILE_KEY)
    assert record.unsent
    lost = Because(Reason.TARGET_LOST, about=(hostile,))
    unsent = [why for why in record.unsent.values() if why.reason not in NOT_SENT]
    assert set(map(repr, unsent)) == {repr(lost)}
    later = found["sampling.refused.seed_range"]
    assert later.verdict is Verdict.INCONCLUSIVE
    assert later.because == lost


def test_a_server_that_never_answers_one_request_is_found_and_the_rest_is_judged(
    catalogue: Catalogue,
) -> None:
    async def fall_silent(call: Call, application: Application) -> None:
        if HOSTILE in call.body:
            await call.receive()  # the client disconnects
        else:
            await call.forward(application)

    with served(broken(fall_silent)) as (base_url, _):
        record = _collect(base_url, catalogue, timeout=SHORT)

    found = verdicts(record, catalogue)
    assert turned(found) == {"http.refused_in_time"}
    assert "the answer had not begun" in str(found["http.refused_in_time"].actual)
    assert found["errors.harmless.temperature_string"].verdict is Verdict.INCONCLUSIVE
    assert found["http.survives"].verdict is Verdict.PASS
    assert {because.reason for because in record.unsent.values()} <= NOT_SENT


def test_a_server_that_stays_with_a_client_that_left_is_found(catalogue: Catalogue) -> None:
    gone = asyncio.Event()

    async def stay(call: Call, application: Application) -> None:
        async def send(message: dict[str, Any]) -> None:
            await call.send(message)
            if leaving and message.get("body"):
                await call.receive()  # the client disconnects
                gone.set()

        leaving = f'"max_tokens": {LEFT_TOKENS}, "stream": true'.encode() in call.body
        if gone.is_set():
            await call.receive()
        else:
            await call.forward(application, send)

    scenarios = [scenario for scenario in catalogue if scenario.rule.group == "http"]
    with served(broken(stay)) as (base_url, _):
        run = collect(Approach(base_url, timeout=SHORT), plan(scenarios))
        (record,) = asyncio.run(asyncio.wait_for(run, PATIENCE))

    found = {judgement.rule.id: judgement for judgement in judge(record, scenarios, catalogue)}
    assert turned(found) == {"http.client_leaves", "http.survives", "http.in_time"}
    left = "after POST /chat/completions left in the middle of its stream"
    assert left in str(found["http.survives"].actual)


def test_a_server_that_breaks_streams_off_is_found(catalogue: Catalogue) -> None:
    async def break_off(call: Call, application: Application) -> None:
        left = 3 if b'"stream": true' in call.body and "/chat/" in call.path else None

        async def send(message: dict[str, Any]) -> None:
            nonlocal left
            if left is None:
                await call.send(message)
            elif left > 0:
                left -= 1
                await call.send(message)

        await call.forward(application, send)

    with served(broken(break_off)) as (base_url, _):
        record = _collect(base_url, catalogue)

    found = verdicts(record, catalogue)
    assert turned(found) == {"http.complete", "chat.stream.done"}
    assert str(found["http.complete"].actual).endswith("bytes of body")


class _Kept:
    """What a collector recorded."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.reasons: dict[str, Because] = {}

    def exchange(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def unsent(self, key: str, because: Because) -> None:
        self.reasons[key] = because


def test_a_server_that_asks_for_patience_gets_it_and_is_not_blamed(catalogue: Catalogue) -> None:
    seen: set[tuple[str, str, bytes]] = set()
    waits: list[float] = []

    async def throttle(call: Call, application: Application) -> None:
        request = (call.scope["method"], call.path, call.body)
        if request in seen:
            await call.forward(application)
            return
        seen.add(request)
        head = {"type": "http.response.start", "status": 429, "headers": [(b"retry-after", b"7")]}
        await call.send(head)
        await call.send({"type": "http.response.body", "body": b"slowly"})

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def run(base_url: str) -> tuple[Record, int]:
        kept = _Kept()
        async with Recorder(base_url, timeout=PATIENCE) as recorder:
            collector = Collector(recorder, Subject("scripted", "scripted"), kept, sleep=sleep)
            await collector.run(plan(catalogue))
        record = Record(Target(base_url, "scripted"), "", tuple(kept.exchanges), kept.reasons)
        return record, collector.throttled

    with served(broken(throttle)) as (base_url, _):
        record, throttled = asyncio.run(asyncio.wait_for(run(base_url), PATIENCE))

    assert turned(verdicts(record, catalogue)) == set()
    assert {exchange.status for exchange in record.exchanges} == {200, 400, 404, 405, 415}
    assert waits == [7.0] * len(seen)
    assert throttled == len(seen)
    assert {because.reason for because in record.unsent.values()} <= NOT_SENT
