"""Messages that deviate, in Node: each expectation was observed first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from clients.measured.canned_surfaces import message_stream
from clients.measured.canned_values import CALLS, TOOLS
from suite.clients.named_events import replaced, without
from suite.clients.reading_in_node import needs_packages, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.clients.nodejs import Node
    from gonogo.exchange import Exchange

    Make = Callable[..., Exchange]

pytestmark = needs_packages

MESSAGE, USING = message_stream(), message_stream(*CALLS)


@pytest.mark.parametrize(
    ("events", "anthropic", "ai"),
    [
        pytest.param(without("ping", MESSAGE), "", "", id="no ping"),
        pytest.param(
            tuple(event.partition(b"\n")[2] for event in MESSAGE), "loses the whole text", "", id="no names"
        ),
        pytest.param(
            without("message_stop", MESSAGE),
            "in client.messages.stream()",
            "another finish reason",
            id="no message_stop",
        ),
        pytest.param(
            without("content_block_start", MESSAGE),
            "in client.messages.stream()",
            "text part",
            id="no content_block_start",
        ),
        pytest.param(
            replaced('"index":0', '"index":1', MESSAGE), "loses the whole text", "", id="indexes from 1"
        ),
    ],
)
def test_a_streamed_message_is_delivered_or_not(
    node: Node, streamed: Make, events: tuple[bytes, ...], anthropic: str, ai: str
) -> None:
    found = told(node, streamed("/messages", *events))
    for how, expected in (
        (found["anthropic_node.messages_stream"], anthropic),
        (found["ai_sdk.messages_stream"], ai),
    ):
        assert expected in how, found
        assert bool(how) is bool(expected), found


def test_inputs_of_one_index_are_lost(node: Node, streamed: Make) -> None:
    events = replaced('"index":1', '"index":0', USING)
    found = told(node, streamed("/messages", *events, asked={"tools": TOOLS["/messages"]}))
    assert found["anthropic_node.messages_stream"]
