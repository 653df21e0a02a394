"""A 2xx status alone is no acceptance: the answer has to be of the right kind."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from gonogo.exchange import Chunk, Exchange, Failure, FailureKind, Request
from gonogo.judge import kinds

if TYPE_CHECKING:
    from suite.judge.conftest import Judge, Make

JSON, EVENTS = "application/json", "text/event-stream; charset=utf-8"
CHAT, COMPLETION, EMBEDDINGS, MODELS = "/chat/completions", "/completions", "/embeddings", "/models"
MESSAGE, DELTA = {"message": {"role": "assistant"}}, {"index": 0, "delta": {}}


def exchange(path: str, body: bytes, media_type: str = JSON) -> Exchange:
    head = (("content-type", media_type),)
    return Exchange("x1", "k", Request("POST", path), 200, head, (Chunk(0.1, body),), None, 0.2)


@pytest.mark.parametrize(
    ("path", "body", "is_one"),
    [
        (CHAT, {"choices": [MESSAGE]}, True),
        (CHAT, {"choices": [{}, MESSAGE]}, True),
        (CHAT, {"choices": []}, False),
        (CHAT, {"choices": [{"message": None}]}, False),
        (CHAT, {"choices": [{"text": "Hi"}]}, False),
        (CHAT, {"choices": MESSAGE}, False),
        (CHAT, {"error": {"message": "no"}}, False),
        (CHAT, [MESSAGE], False),
        (COMPLETION, {"choices": [{"text": ""}]}, True),
        (COMPLETION, {"choices": [MESSAGE]}, False),
        (COMPLETION, {}, False),
        (EMBEDDINGS, {"data": [{"embedding": [0.1]}]}, True),
        (EMBEDDINGS, {"data": []}, False),
        (EMBEDDINGS, {"data": [[0.1]]}, False),
        (MODELS, {"data": []}, True),
        (MODELS + "?limit=1", {"data": []}, True),
        (MODELS, {"data": {}}, False),
        (MODELS, {"models": []}, False),
        ("/models/org/one", {"id": "org/one"}, True),
        ("/models/org/one", {"id": None}, False),
        ("/models/org/one", {"data": []}, False),
    ],
)
def test_a_whole_answer_is_of_its_kind_by_what_every_such_answer_has(
    path: str,
    body: Any,  # noqa: ANN401 - JSON
    *,
    is_one: bool,
) -> None:
    assert kinds.of_its_kind(exchange(path, json.dumps(body).encode())) is is_one


@pytest.mark.parametrize("path", [CHAT, COMPLETION])
@pytest.mark.parametrize(
    ("events", "is_one"),
    [
        ([{"choices": [DELTA]}, "[DONE]"], True),
        ([{"choices": []}], True),
        ([{"id": "c"}, {"choices": [DELTA]}], True),
        ([{"id": "c"}], False),
        ([{"choices": {}}], False),
        ([{"error": {"message": "no"}}], False),
        (["[DONE]"], False),
        ([], False),
    ],
)
def test_a_stream_is_of_its_kind_from_its_first_chunk_with_a_list_of_choices(
    path: str, events: list[Any], *, is_one: bool
) -> None:
    texts = [event if isinstance(event, str) else json.dumps(event) for event in events]
    body = "".join(f"data: {text}\n\n" for text in texts).encode()
    assert kinds.of_its_kind(exchange(path, body, EVENTS)) is is_one


@pytest.mark.parametrize("path", [CHAT, COMPLETION, EMBEDDINGS, MODELS, "/models/m"])
@pytest.mark.parametrize("body", [b"", b"<html>", b"null", b"{}", b"[]", b'{"choices": null, "data": null}'])
def test_no_operation_answers_with_nothing(path: str, body: bytes) -> None:
    assert not kinds.of_its_kind(exchange(path, body))


@pytest.mark.parametrize("path", [EMBEDDINGS, MODELS])
def test_an_operation_without_streams_has_no_streamed_answer(path: str) -> None:
    assert not kinds.of_its_kind(exchange(path, b'data: {"choices": []}\n\n', EVENTS))


def test_a_path_of_no_operation_has_no_kind() -> None:
    assert kinds.of_its_kind(exchange("/nowhere", b""))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (CHAT, "a chat completion"),
        (COMPLETION, "a completion"),
        (EMBEDDINGS, "a list of embeddings"),
        (MODELS, "a list of models"),
        (MODELS + "?limit=1", "a list of models"),
        ("/models/m", "a model"),
        ("/nowhere", "an answer"),
    ],
)
def test_a_kind_has_a_name(path: str, name: str) -> None:
    assert kinds.name(exchange(path, b"")) == name


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b'{"object": "list", "data": [{"object": "embedding", "embedding": [0.1, ', "pass"),
        (b'{"object": "list", "models": [{"id": 1}, ', "inconclusive"),
        (b"<html>" + b" " * 2000, "inconclusive"),
    ],
)
def test_of_an_answer_that_was_not_read_to_its_end_the_beginning_tells_its_kind(
    make: Make, judged: Judge, body: bytes, verdict: str
) -> None:
    kept = make(
        body,
        key="POST /embeddings of 2049 texts",
        failure=Failure(FailureKind.TOO_LARGE, 1.0, "the body is larger than 9 bytes"),
    )
    asked = replace(kept, request=Request("POST", "/embeddings"))
    found = judged(
        "When embeddings of 2049 texts are wrongly requested\nThen the request does not fail the server",
        asked,
    )
    assert found.verdict.value == verdict
