from __future__ import annotations

import asyncio
from typing import Any

import pytest
from gonogo.collect.greeting import greet
from gonogo.errors import TargetError
from gonogo.exchange import Failure, FailureKind
from gonogo.stimuli.stimulus import Subject
from suite.collect.scripted import Says, ScriptedRecorder

URL = "http://127.0.0.1:8000/v1"
HTML = Says(body=b"<html>", headers=(("Content-Type", "text/html; charset=utf-8"),))


def models(*entries: object) -> Says:
    return Says(body={"object": "list", "data": list(entries)})


def listed(name: str, kind: str | None = None) -> dict[str, Any]:
    return {"id": name} | ({"type": kind} if kind else {})


def greeted(listing: Says, chat: Says | None = None, **options: Any) -> tuple[Subject, ScriptedRecorder]:  # noqa: ANN401 - options of greet
    answers = {"greeting: models": listing, "greeting: chat": chat or Says()}
    recorder = ScriptedRecorder(answers.__getitem__)
    return asyncio.run(greet(recorder, **({"base_url": URL} | options))), recorder


def refused(listing: Says, chat: Says | None = None, **options: Any) -> str:  # noqa: ANN401 - options of greet
    with pytest.raises(TargetError) as caught:
        greeted(listing, chat, **options)
    return str(caught.value)


def failing(kind: FailureKind, message: str, status: int | None = None) -> Says:
    return Says(status=status, failure=Failure(kind, 0.0, message))


def test_the_first_model_of_the_list_is_asked() -> None:
    subject, recorder = greeted(models(listed("a"), listed("b")))
    assert subject == Subject("a", None)
    assert [request.path for request in recorder.requests] == ["/models", "/chat/completions"]


def test_one_token_of_chat_is_asked_for() -> None:
    _, recorder = greeted(models(listed("a")))
    body = recorder.requests[1].json
    assert isinstance(body, dict)
    assert (body["model"], body["max_tokens"]) == ("a", 1)


def test_types_of_models_are_respected() -> None:
    subject, _ = greeted(models(listed("e", "embedding"), listed("c", "chat")))
    assert subject == Subject("c", "e")


def test_named_models_are_requested_even_if_not_listed() -> None:
    subject, _ = greeted(models(listed("a")), model="m", embedding_model="e")
    assert subject == Subject("m", "e")


def test_a_named_model_needs_no_list() -> None:
    subject, _ = greeted(Says(status=404), model="m")
    assert subject == Subject("m", None)


def test_an_embedding_model_alone_is_not_asked_to_chat() -> None:
    subject, recorder = greeted(models(listed("e", "embedding")), embedding_model="e")
    assert subject == Subject("e", "e")
    assert len(recorder.requests) == 1


@pytest.mark.parametrize(
    "listing",
    [
        Says(body=b"not json"),
        Says(body=[1]),
        Says(body={"data": {}}),
        models(1, {"id": 2}, {"name": "x"}),
        models(),
    ],
)
def test_a_list_without_readable_models_names_none(listing: Says) -> None:
    assert refused(listing) == (f"{URL}/models lists no model; give the model with --model.")


def test_a_list_that_is_not_there_may_be_a_wrong_url() -> None:
    assert refused(Says(status=404)) == (
        f"{URL}/models does not exist (404). Check the base URL (it usually ends in /v1); if it is correct, "
        "give the model with --model."
    )


def test_a_list_that_fails_is_reported_with_its_status_and_message() -> None:
    assert refused(Says(status=500)) == (
        f"{URL}/models answered 500. If only the list of models fails, give the model with --model."
    )
    unreachable = refused(Says(status=502, body={"error": {"message": "The upstream cannot be reached."}}))
    assert '/models answered 502 ("The upstream cannot be reached."). If only' in unreachable
    long = refused(Says(status=502, body={"error": {"message": "x" * 1000}}))
    assert f'("{"x" * 200}…")' in long


def test_a_list_of_embedding_models_alone_has_none_that_generates() -> None:
    listing = models(listed("e", "embedding"))
    assert refused(listing) == "The target lists no model that generates text; give one with --model."


def test_a_model_that_is_not_served_is_reported_with_those_that_are() -> None:
    listing = models(*(listed(f"m{number}") for number in range(10)))
    message = refused(listing, Says(status=404), model="x")
    assert message.startswith('The target does not serve the model "x"; it lists m0, m1,')
    assert "m7" in message
    assert "m8" not in message


def test_a_chat_that_is_refused_for_another_reason_is_left_to_the_rules() -> None:
    assert greeted(models(listed("a")), Says(status=400))[0] == Subject("a", None)
    assert greeted(models(listed("a")), Says(status=404))[0] == Subject("a", None)


def _error(param: str, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": None}}


def test_a_model_that_wants_the_newer_limit_gets_it() -> None:
    hint = _error("max_tokens", "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
    subject, _ = greeted(models(listed("a")), Says(400, hint))
    assert subject.limit == "max_completion_tokens"
    other = _error("max_tokens", "max_tokens must be 16 or more.")
    assert greeted(models(listed("a")), Says(400, other))[0].limit == "max_tokens"


def test_the_first_of_several_models_that_is_refused_as_such_is_not_judged() -> None:
    wrong = Says(404, _error("model", "This is not a chat model."))
    several = models(listed("a"), listed("b"))
    assert refused(several, wrong) == (
        'The target refuses the first model of its list, "a", for chat; give another with --model.'
    )
    assert greeted(several, wrong, model="b")[0] == Subject("b", None)
    assert greeted(models(listed("a")), wrong)[0] == Subject("a", None)


@pytest.mark.parametrize("body", [b"not json", [1], {"error": "max_tokens"}])
def test_an_unreadable_refusal_states_no_length(body: object) -> None:
    assert greeted(models(listed("a"), listed("b")), Says(400, body))[0] == Subject("a", None)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_and_a_missing_key_are_distinguished(status: int) -> None:
    assert refused(Says(status=status), has_key=True) == (
        f"The target answered {status}: it rejects the key in GONOGO_API_KEY, OPENAI_API_KEY or --header."
    )
    assert refused(models(listed("a")), Says(status=status)) == (
        f"The target answered {status}: it needs an API key; set GONOGO_API_KEY."
    )


def test_a_web_page_is_not_an_api() -> None:
    assert refused(HTML) == (
        f"{URL}/models is a web page, not an API; give the base URL of the API, which usually ends in /v1."
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            failing(FailureKind.CONNECT, "Connection refused"),
            f"Could not connect to {URL}: Connection refused; is the server running there?",
        ),
        (failing(FailureKind.PROTOCOL, "illegal status line"), "does not speak HTTP: illegal status line."),
        (failing(FailureKind.RESET, "reset"), "closed the connection before its first answer: reset."),
        (
            failing(FailureKind.TOO_LARGE, "too large", 200),
            "to GET /models is too large: too large",
        ),
    ],
)
def test_a_missing_answer_is_reported_with_one_sentence(answer: Says, said: str) -> None:
    assert said in refused(answer)


def test_slowness_is_reported_with_advice() -> None:
    slow = failing(FailureKind.TIMEOUT, "no complete answer within 60 s")
    for message in (refused(slow), refused(models(listed("a")), slow)):
        assert "no complete answer within 60 s" in message
        assert "--timeout" in message
