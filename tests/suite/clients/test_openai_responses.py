"""What openai-python makes of responses that deviate; each expectation was observed first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from clients.measured.canned_surfaces import response, response_stream
from clients.measured.canned_values import CALLS
from gonogo.clients import openai_responses

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.clients.breakage import Breakage
    from gonogo.exchange import Exchange

    Make = Callable[..., Exchange]
    Event = dict[str, Any]

PATH = "/responses"
TEXT, WITH_CALLS = response_stream(), response_stream(*CALLS)
HELPER = "for event in client.responses.stream()"
FINAL = "client.responses.stream().get_final_response()"


def told(breakage: Breakage | None) -> str | None:
    """How the client broke, without the message of the exception."""
    return None if breakage is None else breakage.how.partition(": ")[0]


def without(kind: str, events: tuple[bytes, ...] = TEXT) -> tuple[bytes, ...]:
    return tuple(
        event for event in events if f'"type":"response.{kind}"'.encode() not in event.split(b",")[0]
    )


def edited(edit: Callable[[Event], None], events: tuple[bytes, ...] = TEXT) -> tuple[bytes, ...]:
    """The events with the data of each changed."""
    made = []
    for event in events:
        value = json.loads(event.partition(b"data: ")[2])
        edit(value)
        made.append(b"data: " + json.dumps(value).encode() + b"\n\n")
    return tuple(made)


def ended_at_the_limit(event: Event) -> None:
    if event["type"] == "response.completed":
        event["type"] = "response.incomplete"
        event["response"] |= {
            "status": "incomplete",
            "incomplete_details": {"reason": "max_output_tokens"},
        }


def failed(event: Event) -> None:
    if event["type"] == "response.completed":
        event["type"] = "response.failed"
        event["response"] |= {"status": "failed", "error": {"code": "server_error", "message": "No."}}


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(TEXT, id="a text"),
        pytest.param(WITH_CALLS, id="calls"),
        pytest.param((*TEXT, b"data: [DONE]\n\n"), id="a [DONE] at the end"),
        pytest.param((TEXT[0], b": ping\n\n", *TEXT[1:]), id="a comment"),
        pytest.param(edited(lambda event: None), id="events without names"),
        pytest.param(edited(lambda event: event.pop("sequence_number")), id="no sequence numbers"),
        pytest.param(without("in_progress"), id="no response.in_progress"),
        pytest.param(without("output_text.done"), id="no output_text.done"),
        pytest.param(without("content_part.done"), id="no content_part.done"),
        # Its final response accepts only response.completed: not the server's fault.
        pytest.param(edited(ended_at_the_limit), id="response.incomplete"),
        pytest.param(edited(failed), id="response.failed"),
    ],
)
def test_a_stream_that_it_reads(streamed: Make, events: tuple[bytes, ...]) -> None:
    assert openai_responses.responses_stream(streamed(PATH, *events)) is None


@pytest.mark.parametrize(
    ("events", "how"),
    [
        pytest.param(without("created"), f"RuntimeError in {HELPER}", id="no response.created"),
        pytest.param(without("output_item.added"), f"RuntimeError in {HELPER}", id="no output_item.added"),
        pytest.param(without("content_part.added"), f"IndexError in {HELPER}", id="no content_part.added"),
        pytest.param(without("completed"), f"RuntimeError in {FINAL}", id="no terminal event"),
        pytest.param(
            edited(lambda event: event.pop("content_index", None)),
            f"TypeError in {HELPER}",
            id="no content_index",
        ),
    ],
)
def test_a_stream_that_breaks_it(streamed: Make, events: tuple[bytes, ...], how: str) -> None:
    assert told(openai_responses.responses_stream(streamed(PATH, *events))) == how


@pytest.mark.parametrize("pieces", [response(), response(*CALLS)], ids=["text", "calls"])
def test_a_response_that_it_reads(whole: Make, pieces: tuple[bytes, ...]) -> None:
    assert openai_responses.responses(whole(PATH, *pieces)) is None


@pytest.mark.parametrize(
    ("changes", "how"),
    [
        pytest.param({"output": None}, "TypeError in response.output_text", id="null as output"),
        pytest.param(
            {"usage": {"input_tokens": None, "output_tokens": 1, "total_tokens": 1}},
            "TypeError in total += response.usage.total_tokens",
            id="null as a count",
        ),
    ],
)
def test_a_response_that_breaks_it(whole: Make, changes: dict[str, Any], how: str) -> None:
    answer = json.loads(response()[0]) | changes
    assert told(openai_responses.responses(whole(PATH, answer))) == how
