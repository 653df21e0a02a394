"""Vendor fields: where they are added, and which are allowed."""

from __future__ import annotations

import pytest
from gonogo.errors import UsageError
from gonogo.exchange import Request
from gonogo.stimuli import bodies
from gonogo.stimuli.extra import parse_extra, with_extra
from gonogo.stimuli.stimulus import Endpoint, Subject

CHAT = "/chat/completions"
THINK = {"think": False}


@pytest.mark.parametrize(
    ("path", "body", "sent"),
    [
        (CHAT, b'{"a": 1}', b'{"a": 1, "think": false}'),
        ("/completions", b"{}\n", b'{"think": false}'),
        (CHAT, b'{"think": 1}', b'{"think": 1}'),
        (CHAT, b'{"a": 1, "a": NaN}', b'{"a": 1, "a": NaN, "think": false}'),
        (CHAT, b"[1]", b"[1]"),
        (CHAT, b"{not json", b"{not json"),
        (CHAT, b"", b""),
        (CHAT, '{"a": 1}'.encode("utf-16"), '{"a": 1}'.encode("utf-16")),
        ("/embeddings", b"{}", b"{}"),
        ("/models", b"", b""),
    ],
)
def test_fields_go_into_generations_that_are_objects_and_lack_them(
    path: str, body: bytes, sent: bytes
) -> None:
    assert with_extra(Request("POST", path, (), body), THINK).body == sent


def test_extra_fields_are_not_in_keys_and_raw_bodies_are_unchanged() -> None:
    wrong = bodies.post(Endpoint.CHAT, {"temperature": "warm"}, valid=False)
    raw = bodies.raw_post(Endpoint.CHAT, b'{"a": 1}')
    subject = Subject("m", None, THINK)

    assert b'"think": false' in wrong.build(subject, {}).body
    assert "think" not in wrong.key
    assert raw.build(subject, {}).body == b'{"a": 1}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "--extra-body is not JSON: "),
        ('{"a": NaN}', "--extra-body is not JSON: NaN is not a JSON number."),
        ('{"a": "\\ud800"}', "--extra-body is not JSON: "),
        ("[" * 100_000, "--extra-body is not JSON: "),
        ("[1]", "--extra-body is not a JSON object; give one like "),
        ('{"stream": true, "n": 2}', "--extra-body contains n, stream, which gonogo sets itself; remove it."),
    ],
)
def test_a_non_object_or_reserved_field_is_refused_with_one_sentence(text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_extra(text)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)
