"""What httpx-sse makes of streams that deviate; each expectation was observed first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx_sse as library
import pytest
from gonogo.clients import httpx_sse

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange

    Make = Callable[..., Exchange]

CHAT = "/chat/completions"
CHUNK = {"choices": []}
DONE = "[DONE]"


@pytest.mark.parametrize(
    "events",
    [
        pytest.param((CHUNK, DONE), id="as it should be"),
        pytest.param((CHUNK,), id="no [DONE]"),
        pytest.param((b'data: {"choices": []}\r\n\r\ndata: [DONE]\r\n\r\n',), id="CR LF"),
        pytest.param((b'data:{"choices": []}\n\ndata:[DONE]\n\n',), id="no space after data:"),
        pytest.param((b": ping\n\n", CHUNK, DONE), id="a comment"),
        pytest.param((CHUNK, DONE, "and more"), id="text after [DONE]"),
        pytest.param((b'data: {"choices": "\xff"}\n\n', DONE), id="bytes that are no UTF-8"),
        pytest.param((b'data: {"x": NaN}\n\n', DONE), id="NaN"),
        pytest.param((), id="nothing"),
    ],
)
def test_a_stream_that_it_reads(streamed: Make, events: tuple[object, ...]) -> None:
    assert httpx_sse.stream(streamed(CHAT, *events)) is None


@pytest.mark.parametrize(
    ("events", "how"),
    [
        pytest.param(
            (b"id: 5\n\n", DONE), "JSONDecodeError in json.loads(event.data)", id="an id without data"
        ),
        pytest.param(
            (b"id: 5\n", CHUNK, b": ping\n\n", DONE),
            "JSONDecodeError in json.loads(event.data)",
            id="a comment after an event with an id",
        ),
        pytest.param((CHUNK, "[done]"), "JSONDecodeError in json.loads(event.data)", id="[done]"),
        pytest.param(
            (b'{"a": 1}\n',), "delivers nothing from 9 bytes, without an exception", id="JSON lines"
        ),
    ],
)
def test_a_stream_that_breaks_it(streamed: Make, events: tuple[object, ...], how: str) -> None:
    breakage = httpx_sse.stream(streamed(CHAT, *events))
    assert breakage is not None
    assert breakage.how.partition(": ")[0] == how
    assert str(breakage).startswith(f"httpx-sse {library.__version__}: {how}")


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "Text/Event-Stream"])
def test_it_refuses_any_other_media_type_and_capitals_too(streamed: Make, media_type: str) -> None:
    breakage = httpx_sse.stream(streamed(CHAT, CHUNK, DONE, media_type=media_type))
    assert breakage is not None
    assert breakage.how.startswith("SSEError in for event in source.iter_sse(): ")


def test_parameters_of_the_media_type_are_welcome(streamed: Make) -> None:
    assert (
        httpx_sse.stream(streamed(CHAT, CHUNK, DONE, media_type="text/event-stream; charset=utf-8")) is None
    )
