"""Texts that are compared: requested in parallel, and again one at a time if one is not as expected."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from gonogo.collect.collector import Collector
from gonogo.collect.plan import Plan
from gonogo.reasons import Reason
from gonogo.stimuli.bodies import post
from gonogo.stimuli.repeatable import greedy, like_greedy
from gonogo.stimuli.stimulus import Endpoint, Subject
from gonogo.stimuli.stopping import across_a_border, stopped
from gonogo.verdict import Because
from suite.collect.scripted import Kept, Says, ScriptedRecorder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

FIRST = greedy(Endpoint.CHAT)
AGAIN = FIRST.repeated(2)
WHOLE = like_greedy(post(Endpoint.CHAT, {"temperature": 0, "max_tokens": 24}))
CUT = stopped(Endpoint.CHAT, "here", across_a_border)
PLAIN = post(Endpoint.CHAT, {})
KIN = (FIRST, AGAIN, WHOLE, CUT)
SPOKEN = ["One", ", two", ", three", ", four", ", five", ", six"]


def says(pieces: list[str], *, streamed: bool) -> Says:
    if not streamed:
        return Says(body={"choices": [{"index": 0, "message": {"content": "".join(pieces)}}]})
    events = [json.dumps({"choices": [{"index": 0, "delta": {"content": piece}}]}) for piece in pieces]
    return Says(
        body="".join(f"data: {event}\n\n" for event in events).encode(),
        headers=(("content-type", "text/event-stream"),),
    )


def target(spoken: Callable[[str, int], list[str]]) -> ScriptedRecorder:
    """Answers with `spoken`, given the key and the number of parallel requests; obeys stop sequences."""
    recorder = ScriptedRecorder()

    def script(key: str) -> Says:
        pieces = spoken(key, recorder.under_way)
        if key == CUT.key:
            asked = {key: str(request.fields.get("stop")) for key, request in recorder.sent}
            pieces = ["".join(pieces).split(asked[key])[0]]
        return says(pieces, streamed="stream" in key and key != CUT.key)

    recorder.script = script
    return recorder


def collect(recorder: ScriptedRecorder, *, concurrency: int = 8) -> Kept:
    kept = Kept()
    collector = Collector(recorder, Subject("m"), kept, concurrency)
    asyncio.run(asyncio.wait_for(collector.run(Plan((*KIN, PLAIN))), 30))
    return kept


def test_each_text_is_requested_once_if_all_agree() -> None:
    recorder = target(lambda _key, _others: SPOKEN)
    kept = collect(recorder)
    assert Counter(recorder.keys) == Counter(stimulus.key for stimulus in (*KIN, PLAIN))
    assert kept.reasons == {}
    assert recorder.most > 1


def test_the_text_requested_alone_counts_if_a_batch_changed_it() -> None:
    recorder = target(lambda key, others: ["Two", " one"] if key == FIRST.key and others else SPOKEN)
    kept = collect(recorder)
    last = {exchange.stimulus: exchange for exchange in kept.exchanges}
    assert {key for key, times in Counter(recorder.keys).items() if times > 1} == {FIRST.key}
    assert b"Two" not in last[FIRST.key].body
    assert CUT.key in last
    assert kept.reasons == {}
    assert len({exchange.id for exchange in kept.exchanges}) == len(kept.exchanges)


def test_a_text_that_is_asked_for_again_is_asked_for_alone() -> None:
    others: list[int] = []

    def spoken(key: str, under_way: int) -> list[str]:
        if recorder.keys.count(key) > 1:
            others.append(under_way)
        return ["Two"] if key == WHOLE.key else SPOKEN

    recorder = target(spoken)
    kept = collect(recorder)
    assert others == [0, 0]
    assert kept.stimuli()[-2:] == [FIRST.key, WHOLE.key]


def test_requests_are_built_from_the_texts_requested_alone_if_parallel_ones_differed() -> None:
    recorder = target(
        lambda key, others: ["Two", " one"] if key == AGAIN.key and len(recorder.keys) < 5 else SPOKEN
    )
    kept = collect(recorder)
    assert CUT.key in kept.stimuli()
    assert kept.reasons == {}


def test_a_text_that_never_repeats_leaves_the_rest_unsent_and_says_so_once() -> None:
    recorder = target(lambda _key, _others: [str(len(recorder.keys)), " is", " the", " number"])
    kept = collect(recorder)
    assert kept.reasons.keys() == {CUT.key}
    latest = {exchange.stimulus: exchange.id for exchange in kept.exchanges}
    assert kept.reasons[CUT.key] == Because(Reason.NOT_REPEATED, about=(latest[FIRST.key], latest[AGAIN.key]))


def test_with_one_request_at_a_time_nothing_is_asked_for_again() -> None:
    recorder = target(lambda key, _others: ["Two"] if key == WHOLE.key else SPOKEN)
    collect(recorder, concurrency=1)
    assert max(Counter(recorder.keys).values()) == 1


@pytest.mark.parametrize("status", [404, 500])
def test_an_answer_without_text_is_not_requested_again(status: int) -> None:
    recorder = ScriptedRecorder(lambda key: Says(status=200 if key == PLAIN.key else status))
    kept = collect(recorder)
    assert max(Counter(recorder.keys).values()) == 1
    assert kept.reasons.keys() == {CUT.key}


def test_a_text_that_differed_counts_for_nothing_where_the_run_ends_before_it_is_asked_for_alone() -> None:
    """The batch may have changed it."""
    because = Because(Reason.ENOUGH_BROKEN, {"number": 1})
    recorder = target(lambda key, _others: ["Two"] if key == WHOLE.key else SPOKEN)
    kept, unsettled = Kept(), set[str]()

    def enough(keys: Collection[str]) -> Because:
        unsettled.update(keys)
        return because

    collector = Collector(recorder, Subject("m"), kept, enough=enough)
    asyncio.run(asyncio.wait_for(collector.run(Plan((*KIN, PLAIN))), 30))
    assert unsettled == {stimulus.key for stimulus in KIN}
    assert kept.reasons == dict.fromkeys([stimulus.key for stimulus in KIN], because)
    assert PLAIN.key in kept.stimuli()


def test_texts_that_agree_count_though_the_run_ends_there() -> None:
    because = Because(Reason.ENOUGH_BROKEN, {"number": 1})
    kept = Kept()
    collector = Collector(target(lambda *_: SPOKEN), Subject("m"), kept, enough=lambda _: because)
    asyncio.run(asyncio.wait_for(collector.run(Plan((*KIN, PLAIN))), 30))
    assert kept.reasons == {}
