from __future__ import annotations

import json

import pytest
from gonogo.exchange import Chunk, Exchange, Request
from gonogo.reasons import Reason
from gonogo.stimuli.listed import LISTING, OTHERS, RETRIEVALS, UNQUOTED, other
from gonogo.stimuli.observed import listed_ids
from gonogo.stimuli.stimulus import NotPossible, Stimulus, Subject

SUBJECT = Subject("small")


def listing(*ids: object) -> Exchange:
    body = json.dumps({"object": "list", "data": [{"id": name} for name in ids]}).encode()
    request = Request("GET", "/models")
    return Exchange("x1", LISTING.key, request, 200, (), (Chunk(0.0, body),), None, 0.0)


def path(stimulus: Stimulus, *ids: object, subject: Subject = SUBJECT) -> str:
    return stimulus.build(subject, {LISTING.key: listing(*ids)}).path


def test_ids_with_a_slash_come_first_and_each_once() -> None:
    assert listed_ids(listing("a", "org/b", "a", 7, "", "\ud800", "org/c")) == ["org/b", "org/c", "a"]


def test_the_answering_model_is_the_requested_one() -> None:
    assert path(other(1), "small", "large") == "/models/large"


def test_every_id_is_percent_encoded() -> None:
    assert path(other(1), "org/a b?c#d%") == "/models/org%2Fa%20b%3Fc%23d%25"


def test_only_a_few_listed_models_are_retrieved() -> None:
    many = [f"org/m{number}" for number in range(500)]
    asked = {path(other(place), "small", *many) for place in range(1, OTHERS + 1)}
    assert len(asked) == OTHERS
    assert len(RETRIEVALS) == OTHERS + 2


def test_a_short_list_leaves_no_other_model_to_retrieve() -> None:
    with pytest.raises(NotPossible) as stopped:
        path(other(2), "small", "large")
    assert stopped.value.because.reason is Reason.FEWER_MODELS
    assert stopped.value.because.about == ("x1",)


@pytest.mark.parametrize(
    ("subject", "expected"), [("org/own", "/models/org/own"), ("small", "/models/org/other")]
)
def test_one_id_with_a_slash_is_asked_for_as_it_is(subject: str, expected: str) -> None:
    assert path(UNQUOTED, "small", "org/other", subject=Subject(subject)) == expected


def test_without_a_slash_in_an_id_no_unencoded_retrieval_is_sent() -> None:
    with pytest.raises(NotPossible) as stopped:
        path(UNQUOTED, "small", "large")
    assert stopped.value.because.reason is Reason.NO_SLASH
