from __future__ import annotations

import json

import gonogo_contract
import jsonschema_rs
import pytest
from gonogo.stimuli import conversations, life, sampling
from gonogo.stimuli.stimulus import Endpoint, Risk, Stimulus, Subject
from gonogo.stimuli.stopping import greedy

SUBJECT = Subject("org/chat")
REQUEST = jsonschema_rs.validator_for(gonogo_contract.component_schema("CreateChatCompletionRequest"))
REQUESTS = {**sampling.REQUESTS, **conversations.REQUESTS}
HALF = "a chat completion is wrongly requested with half a surrogate pair"


def body(stimulus: Stimulus) -> bytes:
    return stimulus.build(SUBJECT, {}).body


@pytest.mark.parametrize("phrase", [phrase for phrase in REQUESTS if phrase != HALF])
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


def test_what_is_compared_with_another_text_says_with_which() -> None:
    compared = {phrase: s.like.base for phrase, s in sampling.REQUESTS.items() if s.like is not None}
    assert compared == {
        "a chat completion is drawn from a nucleus of one token": greedy(Endpoint.CHAT).key,
        "a chat completion is drawn with a seed": sampling.SEED.key,
        "a chat completion is drawn with that seed once more": sampling.SEED.key,
    }


def test_a_client_that_leaves_is_followed_by_a_sign_of_life_of_its_own() -> None:
    stimulus = life.leaving()
    assert stimulus.build(SUBJECT, {}).enough == 1
    assert (stimulus.risk, stimulus.alone, stimulus.streamed) == (Risk.HOSTILE, True, True)
