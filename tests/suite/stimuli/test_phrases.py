from __future__ import annotations

import pytest
from gonogo.stimuli import bodies
from gonogo.stimuli.life import baselines, is_sign_of_life, sign_of_life, suspects, trace
from gonogo.stimuli.phrases import Again, Ask, Watch, When, when
from gonogo.stimuli.stimulus import Endpoint, Risk, Stimulus, Subject


def meant(text: str) -> When:
    make, values = when.find(text)
    return make(**values)


def asked(text: str) -> Stimulus:
    look = meant(text)
    assert isinstance(look, Ask)
    return look.stimulus


@pytest.mark.parametrize(
    ("text", "key", "valid"),
    [
        ('a chat completion is requested with {"n": 2}', 'POST /chat/completions {"n":2}', True),
        ("a completion is streamed with {}", 'POST /completions {"stream":true}', True),
        ('embeddings are requested with {"input": "x"}', 'POST /embeddings {"input":"x"}', True),
        ('a completion is wrongly requested with {"n": 0}', 'POST /completions {"n":0}', False),
        ("a chat completion is wrongly streamed with {}", 'POST /chat/completions {"stream":true}', False),
        (
            'a chat completion is requested without "messages"',
            "POST /chat/completions {} without messages",
            False,
        ),
        ('a chat completion is requested with the bytes "{"', "POST /chat/completions raw {", False),
        ("the models are listed", "GET /models", True),
        ("the served model is retrieved", "GET /models/{model} served", True),
        ('the model "x/y" is retrieved', "GET /models/{model} x/y", False),
        ('PUT is sent to "/chat/completions"', "PUT /chat/completions", False),
    ],
)
def test_a_phrase_asks_for_a_request(text: str, key: str, *, valid: bool) -> None:
    stimulus = asked(text)
    assert (stimulus.key, stimulus.valid) == (key, valid)


def test_bytes_that_are_not_utf_8_can_be_written() -> None:
    stimulus = asked('a chat completion is requested with the bytes "{\\u00ff"')
    assert stimulus.build(Subject("m"), {}).body == b"{\xff"


def test_the_same_request_is_the_one_before() -> None:
    assert isinstance(meant("the same request is sent again"), Again)


def watching(text: str) -> Watch:
    look = meant(text)
    assert isinstance(look, Watch)
    return look


CHAT = bodies.post(Endpoint.CHAT, {})
STREAM = bodies.post(Endpoint.CHAT, {}, streamed=True)
COMPLETION = bodies.post(Endpoint.COMPLETIONS, {})
WRONG = bodies.post(Endpoint.CHAT, {"n": 0}, valid=False)
MODELS = bodies.list_models()
ROUTE = bodies.bare("GET", "/nowhere")


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("any chat completion is requested", [CHAT]),
        ("any chat completion is streamed", [STREAM]),
        ("any completion is requested", [COMPLETION]),
        ("any stream is asked for", [STREAM]),
        ("any generation is asked for", [CHAT, STREAM, COMPLETION]),
        ("any valid request is sent", [CHAT, STREAM, COMPLETION, MODELS]),
        ("any request is sent", [CHAT, STREAM, COMPLETION, WRONG, MODELS, ROUTE]),
        ("any request is refused", [CHAT, STREAM, COMPLETION, WRONG, MODELS]),
    ],
)
def test_a_watching_phrase_matches_every_exchange_of_its_kind(text: str, seen: list[Stimulus]) -> None:
    look = watching(text)
    assert [s for s in (CHAT, STREAM, COMPLETION, WRONG, MODELS, ROUTE) if look.fits(s)] == seen
    assert look.needs


def test_a_sign_of_life_repeats_a_known_request_and_its_key_lists_the_suspects() -> None:
    alive = sign_of_life(CHAT, ["a", "b"])
    assert alive.key == "alive after a | b"
    assert suspects(alive.key) == ["a", "b"]
    assert alive.risk is Risk.HARMLESS
    assert alive.build(Subject("m"), {}) == CHAT.build(Subject("m"), {})
    assert is_sign_of_life(alive.key)
    assert not is_sign_of_life(CHAT.key)


def test_only_its_own_rules_read_a_sign_of_life() -> None:
    alive = trace("alive after a")
    ordinary = ("any valid request is sent", "any chat completion is requested")
    fitting = [text for text in ordinary if watching(text).fits(alive)]
    assert fitting == []
    assert watching("a sign of life is asked for").fits(alive)


def test_the_most_telling_plain_request_comes_first() -> None:
    assert [stimulus.key for stimulus in baselines()] == [
        "POST /chat/completions {}",
        "POST /completions {}",
        "GET /models",
    ]
