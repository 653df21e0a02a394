from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from gonogo.reasons import Reason
from gonogo.stimuli import bodies
from gonogo.stimuli.stimulus import Endpoint, NotPossible, Risk, Stimulus, Subject, canonical
from gonogo.verdict import Because

if TYPE_CHECKING:
    from gonogo.exchange import Request

SUBJECT = Subject("org/chat", "embedder")


def sent(stimulus: Stimulus, subject: Subject = SUBJECT) -> Request:
    return stimulus.build(subject, {})


def test_a_chat_is_filled_in_with_model_question_and_limit() -> None:
    request = sent(bodies.post(Endpoint.CHAT, {}))
    assert (request.method, request.path) == ("POST", "/chat/completions")
    assert request.json == {
        "model": "org/chat",
        "messages": [{"role": "user", "content": bodies.PROMPT}],
        "max_tokens": bodies.DEFAULT_TOKENS,
    }


def test_a_scenario_states_what_differs() -> None:
    request = sent(bodies.post(Endpoint.COMPLETIONS, {"prompt": ["a", "b"], "max_tokens": 2}))
    assert request.path == "/completions"
    assert request.json == {"model": "org/chat", "prompt": ["a", "b"], "max_tokens": 2}


def test_null_is_sent_as_null_and_what_is_left_out_is_not_sent() -> None:
    assert sent(bodies.post(Endpoint.CHAT, {"seed": None})).json["seed"] is None  # type: ignore[index]
    assert "messages" not in sent(bodies.post(Endpoint.CHAT, {}, without=("messages",))).json  # type: ignore[operator]


def test_a_newer_limit_takes_the_place_of_the_older() -> None:
    body = sent(bodies.post(Endpoint.CHAT, {"max_completion_tokens": 3})).json
    assert isinstance(body, dict)
    assert "max_tokens" not in body


@pytest.mark.parametrize("limit", [0, -1, 1.5, "many", None])
def test_a_sound_limit_goes_by_the_name_that_the_subject_knows(limit: object) -> None:
    newer = Subject("m", limit="max_completion_tokens")
    asked = bodies.post(Endpoint.CHAT, {"max_tokens": 2})
    assert sent(asked, newer).body == sent(asked, Subject("m")).body.replace(
        b"max_tokens", b"max_completion_tokens"
    )
    both = bodies.post(Endpoint.CHAT, {"max_tokens": 8, "max_completion_tokens": 2})
    older = bodies.post(Endpoint.COMPLETIONS, {"max_tokens": 2})
    for same in (both, older):
        assert sent(same, newer) == sent(same, Subject("m"))
    unsound = bodies.post(Endpoint.CHAT, {"max_tokens": limit}, valid=False)
    assert sent(unsound, newer) == sent(unsound, Subject("m"))


def test_embeddings_ask_the_embedding_model_and_generate_nothing() -> None:
    stimulus = bodies.post(Endpoint.EMBEDDINGS, {})
    assert sent(stimulus).json == {"model": "embedder", "input": bodies.PROMPT}
    with pytest.raises(NotPossible) as stopped:
        sent(stimulus, Subject("only"))
    assert stopped.value.because == Because(Reason.NO_EMBEDDING_MODEL)
    assert stimulus.tokens == 0


def test_a_model_that_is_named_is_asked() -> None:
    body = sent(bodies.post(Endpoint.CHAT, {"model": "other"})).json
    assert isinstance(body, dict)
    assert body["model"] == "other"


@pytest.mark.parametrize(
    ("changes", "tokens"),
    [
        ({}, bodies.DEFAULT_TOKENS),
        ({"max_tokens": 2}, 2),
        ({"max_completion_tokens": 3}, 3),
        ({"max_tokens": 2, "n": 3}, 6),
        ({"max_tokens": "many"}, bodies.DEFAULT_TOKENS),
        ({"max_tokens": -1}, bodies.DEFAULT_TOKENS),
        ({"n": 0}, bodies.DEFAULT_TOKENS),
        ({"n": None}, bodies.DEFAULT_TOKENS),
        ({"prompt": ["a", "b", "c"], "max_tokens": 1}, 3),
        ({"prompt": [1, 2, 3], "max_tokens": 1}, 1),
        ({"prompt": [], "max_tokens": 1}, 1),
        ({"best_of": 3, "max_tokens": 2}, 6),
    ],
)
def test_the_worst_case_counts_limit_choices_and_prompts(changes: dict[str, object], tokens: int) -> None:
    assert bodies.post(Endpoint.COMPLETIONS, changes).tokens == tokens


def test_equal_requests_have_one_key() -> None:
    first = bodies.post(Endpoint.CHAT, {"temperature": 0, "max_tokens": 2})
    second = bodies.post(Endpoint.CHAT, {"max_tokens": 2, "temperature": 0})
    assert first.key == second.key == 'POST /chat/completions {"max_tokens":2,"temperature":0}'
    assert canonical({"b": "é", "a": None}) == '{"a":null,"b":"é"}'


def test_a_streamed_request_says_stream_unless_the_scenario_does() -> None:
    assert bodies.post(Endpoint.CHAT, {}, streamed=True).key == 'POST /chat/completions {"stream":true}'
    assert bodies.post(Endpoint.CHAT, {}, streamed=True).streamed
    assert not bodies.post(Endpoint.CHAT, {"stream": False}, streamed=True).streamed


def test_deliberately_invalid_requests_are_hostile() -> None:
    assert bodies.post(Endpoint.CHAT, {}).risk is Risk.HARMLESS
    assert bodies.post(Endpoint.CHAT, {"n": 0}, valid=False).risk is Risk.HOSTILE
    assert bodies.post(Endpoint.CHAT, {}, valid=False, risk=Risk.DEADLY).risk is Risk.DEADLY
    assert bodies.bare("PUT", "/x").risk is Risk.MILD
    assert bodies.retrieve_model("none").risk is Risk.MILD
    assert bodies.raw_post(Endpoint.CHAT, b"{").risk is Risk.HOSTILE
    assert bodies.list_models().risk is Risk.HARMLESS


def test_a_list_as_prompt_is_known_to_kill() -> None:
    assert bodies.post(Endpoint.COMPLETIONS, {"prompt": ["a", "b"]}).risk is Risk.DEADLY
    assert bodies.post(Endpoint.COMPLETIONS, {"prompt": [1, 2]}).risk is Risk.DEADLY
    assert bodies.post(Endpoint.COMPLETIONS, {"prompt": "a"}).risk is Risk.HARMLESS


@pytest.mark.parametrize(
    ("changes", "choices"),
    [
        ({}, 1),
        ({"n": 2}, 2),
        ({"prompt": ["a", "b"], "n": 2}, 4),
        ({"prompt": [1, 2]}, 1),
        ({"best_of": 3}, 1),
    ],
)
def test_choices_are_counted_as_they_are_asked_for(changes: dict[str, object], choices: int) -> None:
    assert bodies.post(Endpoint.COMPLETIONS, changes).choices == choices


def test_extra_fields_go_into_generations_and_yield_to_the_scenario() -> None:
    subject = Subject("m", "e", {"think": False, "temperature": 1})
    chat = sent(bodies.post(Endpoint.CHAT, {"temperature": 0}), subject).json
    assert isinstance(chat, dict)
    assert (chat["think"], chat["temperature"], chat["model"]) == (False, 0, "m")
    assert sent(bodies.post(Endpoint.EMBEDDINGS, {}), subject).json == {"model": "e", "input": bodies.PROMPT}


def test_raw_bytes_are_sent_as_they_are() -> None:
    stimulus = bodies.raw_post(Endpoint.CHAT, b"{\xff", (("content-type", "text/plain"),))
    assert sent(stimulus).body == b"{\xff"
    assert sent(stimulus).json is None
    assert stimulus.key == "POST /chat/completions raw {\\xff {'content-type': 'text/plain'}"


def test_the_slash_in_a_model_is_encoded_by_default() -> None:
    assert sent(bodies.retrieve_model()).path == "/models/org%2Fchat"
    assert sent(bodies.retrieve_model(encoded=False)).path == "/models/org/chat"
    assert bodies.retrieve_model().valid
    assert not bodies.retrieve_model("nobody").valid


def test_a_request_that_is_repeated_waits_for_the_first() -> None:
    first = bodies.list_models()
    second = first.repeated(2)
    assert (second.key, second.needs) == ("GET /models #2", (first,))
    assert sent(second) == sent(first)
