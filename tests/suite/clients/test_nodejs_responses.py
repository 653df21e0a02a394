"""Responses that deviate, in Node: each expectation was observed first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from clients.measured.canned_surfaces import response_stream
from clients.measured.canned_values import CALLS, TOOLS
from suite.clients.named_events import without
from suite.clients.reading_in_node import needs_packages, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.clients.nodejs import Node
    from gonogo.exchange import Exchange

    Make = Callable[..., Exchange]

pytestmark = needs_packages


def at_the_limit(events: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The stream ended at a limit, which is correct."""
    last = json.loads(events[-1].partition(b"data: ")[2])
    last["type"] = "response.incomplete"
    last["response"] |= {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    return (*events[:-1], b"event: response.incomplete\ndata: " + json.dumps(last).encode() + b"\n\n")


TEXT, CALLING = response_stream(), response_stream(*CALLS)


@pytest.mark.parametrize(
    ("events", "openai", "ai"),
    [
        pytest.param(at_the_limit(TEXT), "", "", id="response.incomplete"),
        pytest.param((*TEXT, b"data: [DONE]\n\n"), "", "", id="[DONE]"),
        pytest.param(without("response.created", TEXT), "in client.responses.stream()", "", id="no created"),
        pytest.param(
            without("response.output_item.added", TEXT),
            "in client.responses.stream()",
            "text part",
            id="no output_item.added",
        ),
        pytest.param(
            without("response.output_text.delta", TEXT),
            "loses the whole text",
            "loses the whole text",
            id="no text delta",
        ),
        pytest.param(without("response.completed", TEXT), "", "", id="no end, which neither tells of"),
    ],
)
def test_a_streamed_response_is_delivered_or_not(
    node: Node, streamed: Make, events: tuple[bytes, ...], openai: str, ai: str
) -> None:
    found = told(node, streamed("/responses", *events))
    for how, expected in (
        (found["openai_node.responses_stream"], openai),
        (found["ai_sdk.responses_stream"], ai),
    ):
        assert expected in how, found
        assert bool(how) is bool(expected), found


def test_a_call_that_is_never_done_is_lost(node: Node, streamed: Make) -> None:
    events = without("response.output_item.done", CALLING)
    found = told(node, streamed("/responses", *events, asked={"tools": TOOLS["/responses"]}))
    assert found["ai_sdk.responses_stream"]
