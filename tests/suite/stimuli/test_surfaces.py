"""Surfaces other than chat: requests are sent only if the plain request did not show that the surface is missing."""

from __future__ import annotations

import pytest
from gonogo.exchange import Exchange, Request
from gonogo.reasons import Reason
from gonogo.stimuli import bodies, observed
from gonogo.stimuli.stimulus import Endpoint, NotPossible, Subject
from gonogo.stimuli.surfaces import PLAIN, STREAMS, SURFACES, Surface, where_served
from suite.judge.exchanges import answer_to, stream_to

SUBJECT = Subject("m")


def plain_answer(surface: Surface, status: int) -> Exchange:
    key = PLAIN[surface.endpoint].key
    return Exchange("x1", key, Request("POST", "/x"), status, (), (), None, 0.1)


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.noun)
def test_the_plain_request_of_a_surface_is_greedy_and_has_the_limit_of_the_greedy_chat(
    surface: Surface,
) -> None:
    fields = PLAIN[surface.endpoint].build(SUBJECT, {}).fields
    assert fields["temperature"] == 0
    assert fields[str(bodies.FORMS[surface.endpoint].limit)] == 24
    assert bodies.PROMPT in str(fields)


@pytest.mark.parametrize("status", [404, 405, 501])
@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.noun)
def test_nothing_more_is_asked_of_a_surface_that_is_not_there(surface: Surface, status: int) -> None:
    plain = PLAIN[surface.endpoint]
    for endpoint in surface.operations:
        asked = where_served(bodies.post(endpoint, {"user": "gonogo"}))
        assert asked.needs == (plain,)
        with pytest.raises(NotPossible) as stopped:
            asked.build(SUBJECT, {plain.key: plain_answer(surface, status)})
        assert stopped.value.because.reason is Reason.NO_SUCH_OPERATION
        assert stopped.value.because.values["operation"] == surface.endpoint


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.noun)
def test_a_surface_that_refuses_or_fails_is_asked_on(surface: Surface, status: int) -> None:
    plain = PLAIN[surface.endpoint]
    asked = where_served(bodies.post(surface.endpoint, {"user": "gonogo"}))
    request = asked.build(SUBJECT, {plain.key: plain_answer(surface, status)})
    assert request.fields["user"] == "gonogo"


def test_the_plain_request_and_the_greedy_stream_are_the_same_wherever_they_are_named() -> None:
    body = {"temperature": 0, "max_output_tokens": 24}
    assert where_served(bodies.post(Endpoint.RESPONSES, body)) is PLAIN[Endpoint.RESPONSES]
    streamed = where_served(bodies.post(Endpoint.RESPONSES, body, streamed=True))
    assert streamed.like == STREAMS[Endpoint.RESPONSES].like == PLAIN[Endpoint.RESPONSES].like is not None


def test_a_message_is_asked_for_with_a_version() -> None:
    request = PLAIN[Endpoint.MESSAGES].build(SUBJECT, {})
    assert dict(request.headers)["anthropic-version"] == "2023-06-01"
    assert "max_tokens" not in PLAIN[Endpoint.MESSAGE_TOKENS].build(SUBJECT, {}).fields


@pytest.mark.parametrize(
    ("path", "whole", "events"),
    [
        (
            "/responses",
            {"output": [{"type": "message", "content": [{"type": "output_text", "text": "Hi, you"}]}]},
            [
                {"type": "response.reasoning_text.delta", "delta": "Hm"},
                {"type": "response.output_text.delta", "delta": "Hi, "},
                {"type": "response.output_text.delta", "delta": "you"},
                {"type": "response.output_text.done", "text": "Hi, you"},
            ],
        ),
        (
            "/messages",
            {"content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Hi, you"}]},
            [
                {"type": "content_block_start", "content_block": {"type": "text", "text": ""}},
                {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hi, "}},
                {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "you"}},
            ],
        ),
    ],
)
def test_the_text_of_a_surface_is_the_same_whole_and_streamed(
    path: str, whole: dict[str, object], events: list[dict[str, object]]
) -> None:
    assert observed.text(answer_to(path, whole)) == "Hi, you"
    assert observed.text(stream_to(path, events)) == "Hi, you"
    with pytest.raises(NotPossible):
        observed.text(answer_to(path, {"output": [], "content": []}))
