"""The cost of a run is the usage that the target reports."""

from __future__ import annotations

import pytest
from gonogo.exchange import Chunk, Exchange, Request
from gonogo.report.cost import Cost, cost


def answered(body: bytes, media_type: str = "application/json") -> Exchange:
    headers = (("content-type", media_type),)
    return Exchange("x1", "k", Request("POST", "/x"), 200, headers, (Chunk(0.1, body),), None, 0.1)


def test_usage_is_added_up_over_the_answers() -> None:
    answer = answered(b'{"usage": {"prompt_tokens": 7, "completion_tokens": 3}}')

    assert cost([answer, answer]) == Cost(requests=2, prompt_tokens=14, completion_tokens=6)


def test_only_the_last_usage_of_a_stream_counts_because_some_send_a_running_total() -> None:
    stream = b"".join(
        b'data: {"usage": {"prompt_tokens": 5, "completion_tokens": %d}}\n\n' % count for count in (1, 2)
    )

    assert cost([answered(stream + b"data: [DONE]\n\n", "text/event-stream; charset=utf-8")]) == Cost(1, 5, 2)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[1]",
        b'{"usage": null}',
        b'{"usage": [1]}',
        b'{"usage": {"prompt_tokens": "7", "completion_tokens": true}}',
        b'{"usage": {"prompt_tokens": -7, "completion_tokens": 1.5}}',
        b"[" * 100_000,
    ],
)
def test_an_answer_without_readable_usage_counts_as_a_request_only(body: bytes) -> None:
    assert cost([answered(body)]) == Cost(1, 0, 0)


def test_a_stream_without_usage_costs_no_tokens() -> None:
    assert cost([answered(b"data: {}\n\ndata: [DONE]\n\n", "text/event-stream")]) == Cost(1, 0, 0)


def test_other_surfaces_count_input_and_output_and_may_do_so_in_two_events() -> None:
    whole = answered(b'{"usage": {"input_tokens": 7, "output_tokens": 3}}')
    usage = b'{"usage": {"input_tokens": 5, "output_tokens": 2}}'
    response = b'data: {"type": "response.completed", "response": ' + usage + b"}\n\n"
    message = (
        b'data: {"type": "message_start", "message": {"usage": {"input_tokens": 4, "output_tokens": 1}}}\n\n'
        b'data: {"type": "message_delta", "usage": {"output_tokens": 6}}\n\n'
    )

    assert cost([whole]) == Cost(1, 7, 3)
    assert cost([answered(response, "text/event-stream")]) == Cost(1, 5, 2)
    assert cost([answered(message, "text/event-stream")]) == Cost(1, 4, 6)
