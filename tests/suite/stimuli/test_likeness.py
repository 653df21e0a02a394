"""Which texts are compared, and when a text is as expected."""

from __future__ import annotations

import json

import pytest
from gonogo.collect.families import families
from gonogo.collect.plan import plan
from gonogo.exchange import Chunk, Exchange, Request
from gonogo.rules import load
from gonogo.stimuli.observed import begins, same, same_trimmed, text
from gonogo.stimuli.stimulus import NotPossible


def whole(said: str | None, *, key: str = "message", status: int = 200) -> Exchange:
    choice = {"index": 0, "text": said} if key == "text" else {"index": 0, key: {"content": said}}
    body = json.dumps({"choices": [choice]}).encode()
    return Exchange("x1", "s", Request("POST", "/"), status, (), (Chunk(0.0, body),), None, 0.0)


def streamed(*pieces: str) -> Exchange:
    body = "".join(f"data: {json.dumps({'choices': [{'delta': {'content': p}}]})}\n\n" for p in pieces)
    request = Request("POST", "/", body=b'{"stream": true}')
    headers = (("content-type", "text/event-stream"),)
    return Exchange("x2", "s", request, 200, headers, (Chunk(0.0, body.encode()),), None, 0.0)


def test_a_text_is_read_whole_and_streamed() -> None:
    assert [text(whole("One")), text(whole("One", key="text")), text(streamed("O", "ne"))] == ["One"] * 3


@pytest.mark.parametrize("silent", [whole(None), whole("One", status=404), streamed("")])
def test_answers_without_text_cannot_be_compared(silent: Exchange) -> None:
    with pytest.raises(NotPossible):
        text(silent)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ("One two", (True, True, True)),
        ("One two ", (False, True, True)),
        ("One", (False, False, True)),
        ("Two", (False,) * 3),
    ],
)
def test_a_text_is_the_same_or_the_same_but_for_spaces_or_the_beginning(
    other: str, expected: tuple[bool, ...]
) -> None:
    base = streamed("One ", "two")
    assert tuple(holds(base, whole(other)) for holds in (same, same_trimmed, begins)) == expected


def test_every_base_of_the_catalogue_is_asked_for_before_those_that_are_like_it() -> None:
    stimuli = plan(load()).stimuli
    compared = {stimulus.like.base for stimulus in stimuli if stimulus.like is not None}
    found = families(stimuli)
    assert {family.base.key for family in found} == compared
    assert sorted(len(family.members) for family in found) == [1, 1, 1, 1, 1, 4, 13]
    assert all(family.base.like is not None for family in found)
