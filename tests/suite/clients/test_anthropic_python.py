"""What anthropic-python makes of messages that deviate; each expectation was observed first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from clients.measured.canned_surfaces import message, message_stream
from clients.measured.canned_values import CALLS
from gonogo.clients import anthropic_python
from suite.clients.named_events import replaced, without

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.clients.breakage import Breakage
    from gonogo.exchange import Exchange

    Make = Callable[..., Exchange]

PATH = "/messages"
TEXT, WITH_USES = message_stream(), message_stream(*CALLS)
HELPER = "for event in client.messages.stream()"
FINAL = "client.messages.stream().get_final_message()"


def told(breakage: Breakage | None) -> str | None:
    """How the client broke, without the message of the exception."""
    return None if breakage is None else breakage.how.partition(": ")[0]


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(TEXT, id="a text"),
        pytest.param(WITH_USES, id="uses of tools"),
        pytest.param(without("ping", TEXT), id="no ping"),
        pytest.param(without("content_block_stop", TEXT), id="no content_block_stop"),
        pytest.param((*TEXT, b"data: [DONE]\n\n"), id="a [DONE] at the end"),
        pytest.param((*TEXT[:2], b'event: acme\ndata: {"type": "acme"}\n\n', *TEXT[2:]), id="another event"),
    ],
)
def test_a_stream_that_it_reads(streamed: Make, events: tuple[bytes, ...]) -> None:
    assert anthropic_python.messages_stream(streamed(PATH, *events)) is None


@pytest.mark.parametrize(
    ("events", "how"),
    [
        pytest.param(
            tuple(event.partition(b"\n")[2] for event in TEXT),
            "delivers nothing from",
            id="no names",
        ),
        pytest.param(without("message_start", TEXT), f"AssertionError in {FINAL}", id="no message_start"),
        pytest.param(
            without("content_block_start", TEXT), f"IndexError in {HELPER}", id="no content_block_start"
        ),
        pytest.param(replaced('"usage":{', '"use":{', TEXT), "AttributeError", id="no usage"),
        pytest.param(
            replaced('"index":0', '"index":1', TEXT), f"IndexError in {HELPER}", id="indexes from 1"
        ),
        pytest.param(
            replaced('{\\"time', "{time", WITH_USES), f"ValueError in {HELPER}", id="input that is no JSON"
        ),
    ],
)
def test_a_stream_that_breaks_it(streamed: Make, events: tuple[bytes, ...], how: str) -> None:
    found = anthropic_python.messages_stream(streamed(PATH, *events))
    assert found is not None
    assert found.how.startswith(how), found


@pytest.mark.parametrize("pieces", [message(), message(*CALLS)], ids=["text", "uses of tools"])
def test_a_message_that_it_reads(whole: Make, pieces: tuple[bytes, ...]) -> None:
    assert anthropic_python.messages(whole(PATH, *pieces)) is None


def test_a_limit_for_which_it_would_rather_stream_is_asked_for(whole: Make) -> None:
    assert anthropic_python.messages(whole(PATH, *message(), asked={"max_tokens": 64_000})) is None


@pytest.mark.parametrize(
    ("changes", "how"),
    [
        pytest.param(
            {"content": "Hi"}, "AttributeError in for block in message.content", id="a text as content"
        ),
        pytest.param(
            {"usage": None},
            "AttributeError in total += message.usage.input_tokens + message.usage.output_tokens",
            id="null as usage",
        ),
    ],
)
def test_a_message_that_breaks_it(whole: Make, changes: dict[str, Any], how: str) -> None:
    answer = json.loads(message()[0]) | changes
    assert told(anthropic_python.messages(whole(PATH, answer))) == how
