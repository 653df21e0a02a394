from __future__ import annotations

import json

import gonogo_contract
import jsonschema_rs
import pytest
from gonogo.exchange import Chunk, Exchange, Request
from gonogo.stimuli import conversations, life, sampling
from gonogo.stimuli.repeatable import greedy
from gonogo.stimuli.stimulus import Endpoint, Risk, Stimulus, Subject
from gonogo.stimuli.stopping import NEVER

SUBJECT = Subject("org/chat")
REQUEST = jsonschema_rs.validator_for(gonogo_contract.component_schema("CreateChatCompletionRequest"))
REQUESTS = {**sampling.REQUESTS, **conversations.REQUESTS}
HALF = "a chat completion is wrongly requested with half a surrogate pair"
MEASURED = (
    "that greedy chat completion is requested with log probabilities and a late part of its text as stop"
)


def body(stimulus: Stimulus) -> bytes:
    return stimulus.build(SUBJECT, {}).body


@pytest.mark.parametrize("phrase", [phrase for phrase in REQUESTS if phrase not in {HALF, MEASURED}])
def test_a_request_keeps_the_contract_unless_it_is_wrong_on_purpose(phrase: str) -> None:
    stimulus = REQUESTS[phrase]
    assert REQUEST.is_valid(json.loads(body(stimulus))) is stimulus.valid
    assert stimulus.valid is ("wrongly" not in phrase)


def test_half_a_surrogate_pair_is_json_and_no_text() -> None:
    sent = body(REQUESTS[HALF])
    content = json.loads(sent)["messages"][0]["content"]
    with pytest.raises(UnicodeEncodeError):
        content.encode()
    assert sent.isascii()


def test_every_note_is_as_long_as_it_may_be() -> None:
    phrase = "a chat completion is requested with bookkeeping at its limits"
    notes = json.loads(body(REQUESTS[phrase]))["metadata"]
    assert (len(notes), {len(name) for name in notes}, {len(note) for note in notes.values()}) == (
        16,
        {64},
        {512},
    )


def test_compared_stimuli_name_their_base() -> None:
    compared = {phrase: s.like.base for phrase, s in sampling.REQUESTS.items() if s.like is not None}
    assert compared == {
        "a chat completion is drawn from a nucleus of one token": greedy(Endpoint.CHAT).key,
        "a chat completion is drawn with a seed": sampling.SEED.key,
        "a chat completion is drawn with that seed once more": sampling.SEED.key,
        "a greedy chat completion of an open question is requested": sampling.COOL.key,
        MEASURED: sampling.COOL.key,
    }


def test_a_client_that_leaves_is_followed_by_a_sign_of_life_of_its_own() -> None:
    stimulus = life.leaving()
    assert stimulus.build(SUBJECT, {}).enough == 1
    assert (stimulus.risk, stimulus.alone, stimulus.streamed) == (Risk.HOSTILE, True, True)


@pytest.mark.parametrize(
    ("said", "stop"),
    [("A lizard of glass lives in my teapot.", "n my"), ("aaaa", NEVER)],
    ids=["a text", "one letter"],
)
def test_the_measured_answer_is_stopped_late_in_the_greedy_text_where_that_has_a_fit_part(
    said: str, stop: str
) -> None:
    body = json.dumps({"choices": [{"index": 0, "message": {"content": said}}]}).encode()
    greedy_answer = Exchange("x1", "s", Request("POST", "/"), 200, (), (Chunk(0.0, body),), None, 0.0)
    stimulus = sampling.REQUESTS[MEASURED]
    request = stimulus.build(SUBJECT, {sampling.COOL.key: greedy_answer})
    sent = json.loads(request.body)
    assert REQUEST.is_valid(sent)
    assert sent["stop"] == stop
