from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from gonogo.exchange import Chunk, Exchange, Request
from gonogo.reasons import Reason
from gonogo.rules import load
from gonogo.stimuli.bodies import list_models
from gonogo.stimuli.embedding import same_start
from gonogo.stimuli.limits import HUGE, LONGEST_CONTEXT, huge_limit, overlong
from gonogo.stimuli.observed import context_length, stated_length
from gonogo.stimuli.phrases import Ask, when
from gonogo.stimuli.stimulus import NotPossible, Risk, Subject
from gonogo.verdict import Because

if TYPE_CHECKING:
    from gonogo.stimuli.stimulus import Stimulus

SUBJECT = Subject("m")


def listing(*entries: Any, body: bytes | None = None) -> Exchange:  # noqa: ANN401 - JSON
    data = json.dumps({"data": list(entries)}).encode() if body is None else body
    return Exchange("x1", "s", Request("GET", "/models"), 200, (), (Chunk(0.0, data),), None, 0.0)


def refusal(body: str, status: int = 400) -> Exchange:
    return Exchange("x2", "s", Request("POST", "/x"), status, (), (Chunk(0.0, body.encode()),), None, 0.0)


def known(listed: Exchange, refused: Exchange | None = None) -> dict[str, Exchange]:
    """The answers from which a prompt beyond the context is built."""
    return {list_models().key: listed, huge_limit().key: refused or refusal("No.")}


def asked(text: str) -> Stimulus:
    make, values = when.find(text)
    look = make(**values)
    assert isinstance(look, Ask)
    return look.stimulus


@pytest.mark.parametrize(
    ("entry", "length"),
    [
        ({"context_length": 4096}, 4096),
        ({"max_model_len": 2048}, 2048),
        ({"max_context_length": 2048}, 2048),
        ({"context_window": 2048}, 2048),
        ({"max_input_tokens": 2048}, 2048),
        ({"meta": {"n_ctx_train": 8192}}, 8192),
        ({"metadata": {"context_length": 8192}, "top_provider": None}, 8192),
        ({"top_provider": {"context_length": 8192}}, 8192),
        ({"context_length": 512, "meta": {"n_ctx_train": 8192}}, 8192),
    ],
)
def test_the_greatest_length_of_the_context_that_is_listed_counts(entry: dict[str, Any], length: int) -> None:
    assert context_length(listing({"id": "other", "context_length": 9}, {"id": "m"} | entry), "m") == length


@pytest.mark.parametrize(
    "answer",
    [
        listing(body=b"<html>"),
        listing(body=b"[]"),
        listing(body=b'{"data": {}}'),
        listing("m", {"id": "m"}),
        listing({"id": "m", "context_length": "4096", "meta": None}),
        listing({"id": "m", "context_length": True}),
        listing({"id": "m", "context_length": 0}),
    ],
)
def test_a_context_that_is_not_listed_is_not_exceeded(answer: Exchange) -> None:
    with pytest.raises(NotPossible) as stop:
        overlong().build(SUBJECT, known(answer))
    assert stop.value.because == Because(Reason.CONTEXT_NOT_LISTED, about=("x1",))


def test_a_prompt_has_more_words_than_the_listed_context_has_tokens_and_the_same_each_time() -> None:
    answers = known(listing({"id": "m", "context_length": 1000}))
    request = overlong().build(SUBJECT, answers)
    body = request.json
    assert isinstance(body, dict)
    (message,) = body["messages"]
    assert len(message["content"].split()) == 1250
    assert (body["model"], body["max_tokens"]) == ("m", 1)
    assert overlong().build(SUBJECT, answers) == request


def test_a_context_that_takes_minutes_to_fill_is_not_filled() -> None:
    answers = known(listing({"id": "m", "context_length": LONGEST_CONTEXT + 1}))
    with pytest.raises(NotPossible) as stop:
        overlong().build(SUBJECT, answers)
    values = {"length": LONGEST_CONTEXT + 1, "most": LONGEST_CONTEXT}
    assert stop.value.because == Because(Reason.CONTEXT_TOO_LONG, values, ("x1",))


@pytest.mark.parametrize(
    ("body", "length"),
    [
        ("This model's maximum context length is 4096 tokens. However, you requested 100000012 tokens", 4096),
        ("max_tokens must be at most max_model_len (2048)", 2048),
        (
            '{"error": {"code": 400, "message": "exceeds the available context size (512 tokens)", "n_ctx": 512}}',
            512,
        ),
        ('{"error":{"type":"exceed_context_size_error","n_prompt_tokens":41,"n_ctx":1024}}', 1024),
        ("The model has a context of 131,072 tokens", 131_072),
        ("you asked for 100000000 tokens, the context window is 8192", 8192),
        ("your context of 100000000 is too large", None),
        ('{"error": {"code": "context_length_exceeded", "status": 400}}', None),
        ("max_tokens is at most 16384", None),
        ("context 0", None),
        ("context length is " + "9" * 5000, None),
        ("", None),
    ],
)
def test_a_refusal_of_an_enormous_limit_may_state_the_context_length(body: str, length: int | None) -> None:
    assert stated_length(refusal(body), HUGE) == length


@pytest.mark.parametrize("status", [200, 500])
def test_only_a_refusal_states_the_context_length(status: int) -> None:
    assert stated_length(refusal("maximum context length is 4096", status), HUGE) is None


@pytest.mark.parametrize(
    ("subject", "entry", "words"),
    [
        (Subject("m", context_length=100), {"context_length": 1000}, 125),
        (Subject("m"), {"context_length": 1000}, 1250),
        (Subject("m"), {}, 2500),
    ],
    ids=["the user", "the list", "the refusal"],
)
def test_a_length_is_that_of_the_user_or_of_the_list_or_of_the_refusal(
    subject: Subject, entry: dict[str, Any], words: int
) -> None:
    answers = known(listing({"id": "m"} | entry), refusal("the context length is 2000"))
    (message,) = overlong().build(subject, answers).fields["messages"]
    assert len(message["content"].split()) == words


def test_a_huge_limit_is_bounded_by_stop_sequences_and_by_how_much_is_read() -> None:
    stimulus = asked("a chat completion is streamed with a token limit beyond every context")
    request = stimulus.build(SUBJECT, {})
    body = request.json
    assert isinstance(body, dict)
    assert (body["max_tokens"], body["stream"], len(body["stop"])) == (HUGE, True, 4)
    assert request.enough == stimulus.tokens * 64


def test_bytes_that_are_not_utf_8_stand_in_a_body_that_is_json_otherwise() -> None:
    request = asked("a chat completion is requested with bytes that are not UTF-8").build(SUBJECT, {})
    with pytest.raises(UnicodeDecodeError):
        request.body.decode()
    assert json.loads(request.body.decode("latin-1"))["model"] == "m"


def test_only_the_requests_about_keys_lack_the_key_or_bring_another() -> None:
    ours = {
        stimulus.key: request
        for scenario in load().select(["keys", "errors"])
        for stimulus in scenario.stimuli
        if not stimulus.needs and (request := stimulus.build(SUBJECT, {}))
    }
    odd = {key for key, r in ours.items() if r.anonymous or "authorization" in dict(r.headers)}
    assert odd == {
        "POST /chat/completions without a key",
        "POST /chat/completions with a wrong key",
    }


def test_requests_that_may_stop_or_block_a_server_are_sent_last() -> None:
    names = ("errors.token_limit", "errors.encoding", "errors.context")
    stimuli = [scenario.looks[-1] for scenario in load().select(names)]
    assert all(isinstance(look, Ask) and look.stimulus.risk is Risk.DEADLY for look in stimuli)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({}, 600),
        ({"context_length": 256}, 600),
        ({"max_model_len": 2048}, 2560),
        ({"context_length": 8192}, 600),
    ],
    ids=["not listed", "short", "filled", "too long to be filled"],
)
def test_two_texts_to_embed_differ_behind_more_words_than_the_listed_context_has_tokens(
    entry: dict[str, Any], words: int
) -> None:
    answers = known(listing({"id": "m", "context_length": 4}, {"id": "e"} | entry))
    first, second = same_start().build(Subject("m", "e"), answers).fields["input"]
    assert first.count("word ") == second.count("word ") == words
    assert first != second
