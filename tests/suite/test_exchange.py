"""The properties of an exchange, whatever was sent and received."""

from __future__ import annotations

import pytest
from gonogo.exchange import Exchange, Request


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"model": "m", "n": 2}', {"model": "m", "n": 2}),
        (b"", {}),
        (b'{"model": ', {}),
        (b'["model"]', {}),
        (b"\xff", {}),
        (b"[" * 200_000, {}),
    ],
    ids=["an object", "nothing", "cut off", "an array", "not UTF-8", "too deep"],
)
def test_the_fields_of_a_request_are_those_of_an_object(body: bytes, fields: dict[str, object]) -> None:
    assert Request("POST", "/chat/completions", body=body).fields == fields


@pytest.mark.parametrize(
    ("content_type", "is_stream"),
    [
        ("text/event-stream", True),
        ('Text/Event-Stream; charset="utf-8"', True),
        ("application/json", False),
        (None, False),
    ],
)
def test_a_stream_is_what_says_that_it_is_one(content_type: str | None, *, is_stream: bool) -> None:
    headers = () if content_type is None else (("Content-Type", content_type),)
    assert Exchange("x1", "any", Request("GET", "/"), 200, headers, (), None, 0.0).is_stream is is_stream
