"""How long the suite waits for a busy target."""

from __future__ import annotations

import pytest
from gonogo.collect.answers import LONGEST_WAIT
from gonogo.collect.patience import FIRST_WAIT, TRIES
from gonogo.stimuli import bodies
from gonogo.stimuli.life import is_sign_of_life
from gonogo.stimuli.stimulus import Endpoint
from suite.collect.scripted import Says, ScriptedRecorder, collect, in_turn

CHAT = bodies.post(Endpoint.CHAT, {})
WRONG = [bodies.post(Endpoint.CHAT, {"n": -number}, valid=False) for number in range(5)]


def throttled(status: int, after: str) -> Says:
    return Says(status=status, headers=(("Retry-After", after),))


@pytest.mark.parametrize(
    ("after", "waits"),
    [
        ("0", [0.0]),
        ("2.5", [2.5]),
        ("-4", [0.0]),
        ("9999", [LONGEST_WAIT]),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed_in_bounds(status: int, after: str, waits: list[float]) -> None:
    recorder = ScriptedRecorder(in_turn([throttled(status, after)]))
    kept, collector, slept = collect(recorder, CHAT)
    assert slept == waits
    assert collector.throttled == len(waits)
    assert [exchange.status for exchange in kept.exchanges] == [200 if waits else status]
    assert [exchange.id for exchange in kept.exchanges] == ["x1"]


@pytest.mark.parametrize("after", ["Fri, 14 Nov 2026", "", "nan"])
def test_a_429_without_retry_after_is_not_retried(after: str) -> None:
    kept, _, slept = collect(ScriptedRecorder(in_turn([throttled(429, after)])), CHAT)
    assert slept == []
    assert [exchange.status for exchange in kept.exchanges] == [429]


@pytest.mark.parametrize("after", ["Fri, 14 Nov 2026", "", "nan"])
def test_a_503_without_retry_after_is_retried_as_clients_do(after: str) -> None:
    recorder = ScriptedRecorder(in_turn([throttled(503, after)] * 2))
    kept, collector, slept = collect(recorder, CHAT)
    assert slept == [FIRST_WAIT, 2 * FIRST_WAIT]
    assert collector.throttled == 2
    assert [exchange.status for exchange in kept.exchanges] == [200]


def test_a_target_that_serves_one_at_a_time_is_not_taken_for_dead() -> None:
    busy = iter([Says(status=503), Says(status=503)])
    recorder = ScriptedRecorder(lambda key: next(busy, Says()) if is_sign_of_life(key) else Says())
    kept, _, _ = collect(recorder, CHAT, *WRONG, concurrency=1)
    assert kept.reasons == {}
    assert [e.status for e in kept.exchanges if is_sign_of_life(e.stimulus)] == [200] * len(WRONG)


def test_waiting_is_limited_and_the_last_answer_is_kept() -> None:
    recorder = ScriptedRecorder(lambda _: throttled(429, "1"))
    kept, collector, slept = collect(recorder, CHAT)
    assert len(recorder.keys) == TRIES
    assert slept == [1.0] * (TRIES - 1)
    assert collector.throttled == TRIES - 1
    assert [exchange.status for exchange in kept.exchanges] == [429]


@pytest.mark.parametrize("after", ["nan", "inf", "-inf", "1e999"])
def test_an_invalid_retry_after_does_not_wait_forever(after: str) -> None:
    recorder = ScriptedRecorder(in_turn([throttled(429, after)]))
    _, _, slept = collect(recorder, CHAT)
    assert all(0.0 <= seconds <= LONGEST_WAIT for seconds in slept)
