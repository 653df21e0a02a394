from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from gonogo.collect.collector import Collector
from gonogo.collect.plan import Plan
from gonogo.exchange import Exchange, Failure, FailureKind, Request
from gonogo.reasons import Reason
from gonogo.stimuli import bodies
from gonogo.stimuli.life import is_sign_of_life, key_after, leaving, suspects
from gonogo.stimuli.stimulus import Endpoint, NotPossible, Risk, Stimulus, Subject
from gonogo.verdict import Because
from suite.collect.scripted import GONE, Kept, Says, ScriptedRecorder, collect, in_turn

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

CHAT = bodies.post(Endpoint.CHAT, {})
MODELS = bodies.list_models()
WRONG = [bodies.post(Endpoint.CHAT, {"n": -number}, valid=False) for number in range(5)]


def lost_after(*suspects: str) -> Because:
    """Why nothing is sent after one or several requests that may have crashed the target."""
    if len(suspects) == 1:
        return Because(Reason.TARGET_LOST, about=suspects)
    return Because(Reason.TARGET_LOST_AFTER_SEVERAL, {"number": len(suspects)}, suspects)


def test_each_stimulus_is_sent_once_and_has_the_number_of_its_place() -> None:
    kept, _, _ = collect(ScriptedRecorder(), CHAT, MODELS)
    assert {exchange.stimulus: exchange.id for exchange in kept.exchanges} == {
        CHAT.key: "x1",
        MODELS.key: "x2",
    }
    assert kept.reasons == {}


def test_harmless_requests_go_side_by_side_up_to_the_limit() -> None:
    stimuli = [bodies.post(Endpoint.CHAT, {"n": number}) for number in range(1, 10)]
    recorder = ScriptedRecorder()
    collect(recorder, *stimuli, concurrency=3)
    assert recorder.most == 3


def test_after_a_time_out_half_as_many_go_side_by_side() -> None:
    stimuli = [bodies.post(Endpoint.CHAT, {"n": number}) for number in range(1, 10)]
    late = Says(None, failure=Failure(FailureKind.TIMEOUT, 1.0, "no complete answer within 1 s"))
    recorder = ScriptedRecorder(in_turn([late] * 4))
    _, collector, _ = collect(recorder, *stimuli, concurrency=4)
    assert (recorder.most, collector.concurrency) == (4, 2)


def test_a_request_that_must_be_alone_is() -> None:
    alone = replace(bodies.post(Endpoint.CHAT, {"n": 7}), alone=True)
    recorder = ScriptedRecorder()
    seen: list[int] = []

    def script(key: str) -> Says:
        if key == alone.key:
            seen.append(recorder.under_way)
        return Says()

    recorder.script = script
    collect(recorder, CHAT, MODELS, alone)
    assert seen == [0]
    assert recorder.keys.index(CHAT.key) < recorder.keys.index(alone.key)


def test_a_request_waits_for_those_that_it_needs_and_is_built_from_their_answers() -> None:
    def build(_: Subject, answers: Mapping[str, Exchange]) -> Request:
        return Request("POST", "/x", (), answers[CHAT.key].body)

    needing = replace(CHAT, key="needing", build=build, needs=(CHAT,))
    recorder = ScriptedRecorder(lambda _: Says(body=b"[1]"))
    kept, _, _ = collect(recorder, needing, CHAT)
    assert kept.stimuli() == [CHAT.key, "needing"]
    assert recorder.requests[1].body == b"[1]"


def test_a_request_that_cannot_be_built_is_unsent_with_the_reason() -> None:
    def build(_: Subject, __: Mapping[str, Exchange]) -> Request:
        raise NotPossible(Reason.CONTEXT_TOO_LONG, length=2, most=1)

    impossible = replace(CHAT, key="impossible", build=build)
    dependent = replace(CHAT, key="dependent", needs=(impossible,))
    kept, _, _ = collect(ScriptedRecorder(), impossible, dependent)
    assert kept.exchanges == []
    assert kept.reasons == {
        "impossible": Because(Reason.CONTEXT_TOO_LONG, {"length": 2, "most": 1}),
        "dependent": Because(Reason.NEED_MISSING, {"key": "impossible"}),
    }


@pytest.mark.parametrize(
    ("concurrency", "batches"), [(1, [1, 1, 1, 1, 1]), (2, [4, 1]), (8, [5])], ids=["1", "2", "8"]
)
@pytest.mark.parametrize(
    "doubtful",
    [Says(status=500), Says(status=None, failure=Failure(FailureKind.RESET, 0.1, "gone"))],
    ids=["500", "reset"],
)
def test_after_a_doubtful_answer_a_sign_of_life_follows_soon(
    concurrency: int, batches: list[int], doubtful: Says
) -> None:
    recorder = ScriptedRecorder(lambda key: doubtful if key == WRONG[0].key else Says())
    kept, _, _ = collect(recorder, CHAT, *WRONG, concurrency=concurrency)
    wrong = iter(stimulus.key for stimulus in WRONG)
    expected = [list(islice(wrong, size)) for size in batches]
    assert [suspects(key) for key in kept.stimuli() if is_sign_of_life(key)] == expected
    assert recorder.most <= concurrency


@pytest.mark.parametrize(("concurrency", "batches"), [(1, [1] * 40), (2, [16, 16, 8]), (8, [40])])
def test_as_long_as_the_answers_are_those_of_the_living_a_sign_of_life_covers_many(
    concurrency: int, batches: list[int]
) -> None:
    many = [bodies.post(Endpoint.CHAT, {"n": -number}, valid=False) for number in range(40)]
    kept, _, _ = collect(ScriptedRecorder(lambda _: Says(status=200)), CHAT, *many, concurrency=concurrency)
    signs = [suspects(key) for key in kept.stimuli() if is_sign_of_life(key)]
    assert [len(sign) for sign in signs] == batches
    assert [key for sign in signs for key in sign] == [stimulus.key for stimulus in many]


def test_a_sign_of_life_asks_for_one_token() -> None:
    recorder = ScriptedRecorder()
    collect(recorder, CHAT, WRONG[0])
    assert recorder.requests[-1].fields["max_tokens"] == 1


def test_if_one_token_is_refused_the_earlier_request_is_repeated_exactly() -> None:
    asked = iter([Says(status=400), Says()])
    recorder = ScriptedRecorder(lambda key: next(asked) if is_sign_of_life(key) else Says())
    kept, _, _ = collect(recorder, CHAT, WRONG[0])
    assert recorder.requests[-1] == CHAT.build(Subject("m"), {})
    assert [e.status for e in kept.exchanges if is_sign_of_life(e.stimulus)] == [200]


@pytest.mark.parametrize("concurrency", [1, 8])
def test_unsent_requests_are_followed_by_no_sign_of_life(concurrency: int) -> None:
    def build(_: Subject, __: Mapping[str, Exchange]) -> Request:
        raise NotPossible(Reason.CONTEXT_NOT_LISTED)

    recorder = ScriptedRecorder()
    collect(recorder, CHAT, replace(WRONG[0], build=build), concurrency=concurrency)
    assert recorder.keys == [CHAT.key]


def test_mild_requests_are_sent_with_the_sign_of_life_and_are_among_its_suspects() -> None:
    mild = bodies.bare("PUT", "/chat/completions")
    recorder = ScriptedRecorder()
    kept, _, _ = collect(recorder, CHAT, mild, *WRONG[:2])
    assert recorder.keys[-1] == mild.key
    assert suspects(kept.stimuli()[-1]) == [WRONG[0].key, WRONG[1].key, mild.key]
    assert sum(map(is_sign_of_life, kept.stimuli())) == 1


def test_with_one_request_at_a_time_a_mild_one_has_a_sign_of_life_of_its_own() -> None:
    mild = bodies.bare("PUT", "/chat/completions")
    kept, _, _ = collect(ScriptedRecorder(), CHAT, mild, WRONG[0], concurrency=1)
    signs = [suspects(key) for key in kept.stimuli() if is_sign_of_life(key)]
    assert signs == [[mild.key], [WRONG[0].key]]


LEAVING = leaving()
QUIET = bodies.retrieve_model()


@pytest.mark.parametrize("concurrency", [1, 2, 8])
def test_the_sign_of_life_after_a_disconnect_blames_no_other_request(concurrency: int) -> None:
    recorder = ScriptedRecorder()
    kept, _, _ = collect(recorder, CHAT, MODELS, QUIET, LEAVING, *WRONG, concurrency=concurrency)
    signs = [suspects(key) for key in kept.stimuli() if is_sign_of_life(key)]
    assert signs[0] == [LEAVING.key]
    before = set(recorder.keys[: recorder.keys.index(key_after([LEAVING.key]))])
    assert before.isdisjoint(stimulus.key for stimulus in WRONG)
    assert {CHAT.key, LEAVING.key} <= before


def test_beside_a_client_that_leaves_goes_only_what_generates_nothing() -> None:
    recorder = ScriptedRecorder()
    completion = bodies.post(Endpoint.COMPLETIONS, {})
    collect(recorder, CHAT, completion, QUIET, LEAVING, WRONG[0])
    assert recorder.keys[:4] == [CHAT.key, completion.key, LEAVING.key, QUIET.key]


def test_harmless_requests_precede_hostile_ones_until_a_sign_of_life_is_possible() -> None:
    recorder = ScriptedRecorder(lambda key: Says(status=200 if key in {MODELS.key, QUIET.key} else 404))
    collect(recorder, CHAT, QUIET, MODELS, LEAVING, WRONG[0])
    assert recorder.keys.index(LEAVING.key) > max(map(recorder.keys.index, (QUIET.key, MODELS.key)))
    assert recorder.requests[-1] == Request("GET", "/models")


def test_failures_in_parallel_with_a_disconnect_that_stopped_the_target_are_unsent() -> None:
    gone = Says(status=None, failure=Failure(FailureKind.RESET, 0.1, "gone"))
    recorder = ScriptedRecorder(lambda key: gone if key == QUIET.key or is_sign_of_life(key) else Says())
    kept, _, _ = collect(recorder, CHAT, QUIET, LEAVING, WRONG[0])
    assert kept.stimuli() == [CHAT.key, LEAVING.key, key_after([LEAVING.key])]
    assert kept.exchanges[1].id == "x3"
    assert kept.reasons == dict.fromkeys((QUIET.key, WRONG[0].key), lost_after("x3"))


def test_the_sign_of_life_is_a_plain_request_that_was_answered_well_before() -> None:
    recorder = ScriptedRecorder(lambda key: Says(status=404 if key.startswith("POST") else 200))
    collect(recorder, CHAT, MODELS, WRONG[0])
    assert recorder.requests[-1] == Request("GET", "/models")


def test_without_a_successful_answer_no_sign_of_life_is_possible() -> None:
    kept, _, _ = collect(ScriptedRecorder(lambda _: Says(status=500)), CHAT, *WRONG[:2])
    assert kept.stimuli() == [CHAT.key, WRONG[0].key, WRONG[1].key]
    assert kept.reasons == {}


@pytest.mark.parametrize(
    "ending",
    [
        Says(status=None, failure=GONE),
        Says(status=None, failure=Failure(FailureKind.TIMEOUT, 1.0, "silence")),
        Says(status=500),
        Says(status=400),
    ],
)
def test_without_a_sign_of_life_nothing_more_is_sent_and_the_suspects_are_named(ending: Says) -> None:
    def script(key: str) -> Says:
        doubtful = key == WRONG[0].key
        return ending if key.startswith("alive") else Says(status=500 if doubtful else 200)

    kept, _, _ = collect(ScriptedRecorder(script), CHAT, *WRONG, concurrency=2)
    assert kept.stimuli()[-1] == "alive after " + " | ".join(stimulus.key for stimulus in WRONG[:4])
    assert kept.reasons == {WRONG[4].key: lost_after("x2", "x3", "x4", "x5")}


def test_with_one_request_at_a_time_the_one_that_stopped_the_target_is_named() -> None:
    recorder = ScriptedRecorder(lambda key: Says(status=500 if key.startswith("alive") else 200))
    kept, _, _ = collect(recorder, CHAT, *WRONG, concurrency=1)
    assert kept.reasons == {stimulus.key: lost_after("x2") for stimulus in WRONG[1:]}


@pytest.mark.parametrize(("gone", "named"), [(WRONG[2:4], WRONG[:2]), (WRONG[:4], WRONG[:4])])
def test_requests_that_reached_no_server_are_suspects_only_if_all_did_not(
    gone: list[Stimulus], named: list[Stimulus]
) -> None:
    missed = {stimulus.key for stimulus in gone}

    def script(key: str) -> Says:
        return Says(status=None, failure=GONE) if key in missed or is_sign_of_life(key) else Says()

    kept, _, _ = collect(ScriptedRecorder(script), CHAT, *WRONG, concurrency=2)
    assert suspects(kept.stimuli()[-1]) == [stimulus.key for stimulus in named]
    assert list(kept.reasons) == [WRONG[4].key]


@pytest.mark.parametrize(
    ("away", "because"),
    [
        (WRONG[1:], lost_after("x2")),
        (WRONG[2:], lost_after("x2", "x3")),
        (WRONG, Because(Reason.TARGET_LOST_BEFORE, about=("x2", "x3", "x4", "x5"))),
    ],
)
def test_rejected_requests_are_suspects_only_if_all_were_rejected(
    away: list[Stimulus], because: Because
) -> None:
    keys = {stimulus.key for stimulus in away}
    recorder = ScriptedRecorder(
        lambda key: Says(status=503) if key in keys or is_sign_of_life(key) else Says(),
    )
    kept, _, _ = collect(recorder, CHAT, *WRONG, concurrency=2)

    assert kept.reasons == {WRONG[4].key: because}


@pytest.mark.parametrize(
    "ending", [Says(status=429), Says(status=503, headers=(("Retry-After", "1"),))], ids=["429", "503"]
)
def test_a_busy_target_is_alive(ending: Says) -> None:
    recorder = ScriptedRecorder(lambda key: ending if key.startswith("alive") else Says())
    kept, _, _ = collect(recorder, CHAT, *WRONG[:2], concurrency=1)
    assert kept.reasons == {}
    assert WRONG[1].key in kept.stimuli()


DEADLY = [replace(wrong, risk=Risk.DEADLY) for wrong in WRONG]


def test_deadly_requests_are_sent_last_and_the_first_by_itself() -> None:
    under_way: list[int] = []

    def script(key: str) -> Says:
        if key == DEADLY[0].key:
            under_way.append(recorder.under_way)
            assert recorder.keys[-1] == key
        return Says()

    recorder = ScriptedRecorder(script)
    kept, _, _ = collect(recorder, DEADLY[0], WRONG[4], *DEADLY[1:4], CHAT)
    assert under_way == [0]
    assert kept.stimuli() == [
        CHAT.key,
        WRONG[4].key,
        f"alive after {WRONG[4].key}",
        *(stimulus.key for stimulus in DEADLY[:4]),
        "alive after " + " | ".join(stimulus.key for stimulus in DEADLY[:4]),
    ]


@pytest.mark.parametrize(
    "ending",
    [
        Says(status=500),
        Says(status=None, failure=GONE),
        Says(status=None, failure=Failure(FailureKind.TIMEOUT, 60.0, "silence")),
    ],
    ids=["500", "nobody", "silence"],
)
def test_a_first_deadly_request_that_kills_is_named_and_no_other_is_sent(ending: Says) -> None:
    recorder = ScriptedRecorder(
        lambda key: ending if key == DEADLY[0].key or is_sign_of_life(key) else Says()
    )
    kept, _, _ = collect(recorder, CHAT, *DEADLY)
    assert kept.stimuli()[-1] == f"alive after {DEADLY[0].key}"
    assert kept.reasons == {stimulus.key: lost_after("x2") for stimulus in DEADLY[1:]}


def test_a_deadly_request_that_must_be_alone_goes_after_the_others_have_been_answered() -> None:
    last = replace(DEADLY[4], alone=True)
    seen: list[int] = []

    def script(key: str) -> Says:
        if key == last.key:
            seen.append(recorder.under_way)
        return Says()

    recorder = ScriptedRecorder(script)
    kept, _, _ = collect(recorder, CHAT, last, *DEADLY[:4])
    assert seen == [0]
    assert kept.stimuli()[-2] == last.key


class TestARunThatEndsBeforeItsPlan:
    """`enough` is called between rounds; `give_up` follows an interruption."""

    BECAUSE = Because(Reason.ENOUGH_BROKEN, {"number": 1})
    MANY = tuple(
        bodies.post(Endpoint.CHAT, {"n": number}) for number in range(12, 0, -1)
    )  # the longest first

    def run(self, after: int, *stimuli: Stimulus) -> tuple[Kept, ScriptedRecorder, list[int]]:
        """Two requests at a time, until this many answers have arrived; returns also those running at that time."""
        kept, recorder, under_way = Kept(), ScriptedRecorder(), []

        def enough(_: Collection[str]) -> Because | None:
            under_way.append(recorder.under_way)
            return self.BECAUSE if len(kept.exchanges) >= after else None

        collector = Collector(recorder, Subject("m"), kept, 2, enough=enough)
        asyncio.run(asyncio.wait_for(collector.run(Plan(stimuli)), 30))
        return kept, recorder, under_way

    def test_sends_no_more_once_it_is_enough_and_says_why(self) -> None:
        kept, recorder, under_way = self.run(1, *self.MANY, *WRONG)
        assert recorder.keys == [stimulus.key for stimulus in self.MANY[:8]]  # four rounds of two
        assert kept.reasons == dict.fromkeys([s.key for s in (*self.MANY[8:], *WRONG)], self.BECAUSE)
        assert under_way == [0]

    def test_goes_to_its_end_where_it_never_is(self) -> None:
        kept, recorder, under_way = self.run(1000, *self.MANY, *WRONG)
        assert kept.reasons == {}
        assert len([key for key in recorder.keys if not is_sign_of_life(key)]) == 17
        assert set(under_way) == {0}

    def test_records_stimuli_that_are_not_in_the_sink(self) -> None:
        kept, stuck = Kept(), asyncio.Event()
        recorder = ScriptedRecorder()
        collector = Collector(recorder, Subject("m"), kept, 2)

        async def run() -> None:
            async def record(*_: object, **__: object) -> Exchange:
                await stuck.wait()
                raise AssertionError

            await collector.run(Plan(self.MANY[:2]))
            recorder.record = record
            task = asyncio.create_task(collector.run(Plan(self.MANY)))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait({task})
            collector.give_up(self.MANY, self.BECAUSE)

        asyncio.run(asyncio.wait_for(run(), 30))
        assert [exchange.stimulus for exchange in kept.exchanges] == [s.key for s in self.MANY[:2]]
        assert kept.reasons == dict.fromkeys([s.key for s in self.MANY[2:]], self.BECAUSE)
