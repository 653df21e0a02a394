"""Streams that are forwarded as they arrive: the bytes are kept, in whole events, and the end is recognised."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from gonogo_server.errors import UpstreamError
from gonogo_server.surfaces.messages.relaying import MessageRelay
from gonogo_server.surfaces.responses.relaying import ResponseRelay

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.surfaces.relaying import Relay


def event(kind: str, ends: str = "\n", **fields: object) -> bytes:
    return f"event: {kind}{ends}data: {json.dumps({'type': kind, **fields})}{ends}{ends}".encode()


def forwarded(relay: Relay, pieces: Iterable[bytes]) -> bytes:
    return b"".join(part for piece in pieces for part in relay.feed(piece)) + relay.finish()


RESPONSE = (
    event("response.created", response={"id": "r", "status": "in_progress"}, sequence_number=0),
    event("response.output_text.delta", "\r\n", delta="Hi", sequence_number=1),
    b": a comment\n\n",
    event(
        "response.completed", response={"usage": {"input_tokens": 3, "output_tokens": 2}}, sequence_number=2
    ),
    b"data: [DONE]\n\n",
)


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_the_bytes_are_kept_for_any_split(size: int) -> None:
    data, relay = b"".join(RESPONSE), ResponseRelay({})
    assert forwarded(relay, (data[at : at + size] for at in range(0, len(data), size))) == data
    assert relay.over
    assert (relay.prompt_tokens, relay.completion_tokens) == (3, 2)


def test_a_large_event_in_many_pieces_is_kept() -> None:
    large = event("response.completed", response={"output": ["a" * 2_000_000]})
    relay = ResponseRelay({})
    assert forwarded(relay, (large[at : at + 1000] for at in range(0, len(large), 1000))) == large
    assert relay.over


def test_an_event_that_has_not_ended_waits() -> None:
    relay = MessageRelay()
    whole = event("ping")
    assert list(relay.feed(whole + b"event: pi")) == [whole]
    assert relay.finish() == b""
    assert not relay.over


def test_a_last_event_without_its_blank_line_is_completed() -> None:
    relay = MessageRelay()
    last = event("message_stop")
    assert forwarded(relay, [last[:-1]]) == last
    assert relay.over


def test_the_usage_of_a_message_is_the_last_one() -> None:
    relay = MessageRelay()
    start = event("message_start", message={"usage": {"input_tokens": 5, "output_tokens": 1}})
    forwarded(relay, [start, event("message_delta", usage={"output_tokens": 7}), event("message_stop")])
    assert (relay.prompt_tokens, relay.completion_tokens) == (5, 7)


def test_a_failure_goes_on_where_the_response_broke_off() -> None:
    relay = ResponseRelay({})
    forwarded(relay, RESPONSE[:2])
    failed = json.loads(relay.failure(RuntimeError()).split(b"data: ")[1])
    assert failed["type"] == "response.failed"
    assert failed["sequence_number"] == 2
    assert (failed["response"]["id"], failed["response"]["status"]) == ("r", "failed")


def test_a_failure_before_the_first_event_begins_the_response() -> None:
    kinds = [
        line for line in ResponseRelay({}).failure(RuntimeError()).split(b"\n") if line.startswith(b"event")
    ]
    assert kinds == [b"event: response.created", b"event: response.in_progress", b"event: response.failed"]


def test_an_error_with_the_address_of_the_upstream_is_not_forwarded() -> None:
    relay = MessageRelay(["10.0.0.7:8080"])
    told = event("error", error={"type": "api_error", "message": "10.0.0.7:8080 is down"})
    with pytest.raises(UpstreamError) as failure:
        list(relay.feed(told))
    assert b"10.0.0.7" not in relay.failure(failure.value)
    assert not relay.over
    plain = event("error", error={"type": "api_error", "message": "it is down"})
    assert list(MessageRelay(["10.0.0.7:8080"]).feed(plain)) == [plain]
