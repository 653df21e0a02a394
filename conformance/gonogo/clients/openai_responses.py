"""openai-python reads recorded responses as applications use it. Each reader follows the SDK's README and guides: it
reads the text, the calls and the usage, for a stream the deltas, and then the same bytes with the SDK's own helper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo.clients.openai_python import asked, parsed, reader
from gonogo.clients.recording import expect_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai import OpenAI
    from openai.types.responses import Response, ResponseStreamEvent

    from gonogo.exchange import Exchange

    Lines = Iterator[str]

UNKNOWN_ENDS: Final = frozenset({"response.incomplete", "response.failed"})
"""Correct terminal events for which the helper's final response raises: it supports only one."""


@reader
def responses(sdk: OpenAI, exchange: Exchange) -> Lines:
    """A response in one piece."""
    yield "client.responses.create()"
    response = sdk.responses.create(**asked(exchange.request, "input"))
    yield "response.output_text"
    _ = "" + response.output_text
    yield from _items(response)
    yield "response.model_dump()"
    response.model_dump()


@reader
def responses_stream(sdk: OpenAI, exchange: Exchange) -> Lines:
    """A streamed response: the loop of the README, and then the SDK's own helper on the same bytes."""
    ends: list[str] = []
    yield from _loop(sdk, exchange, ends)
    yield "client.responses.stream()"
    with sdk.responses.stream(**asked(exchange.request, "input", without="stream")) as stream:
        yield "for event in client.responses.stream()"
        for _ in stream:
            pass
        if UNKNOWN_ENDS.isdisjoint(ends):
            yield "client.responses.stream().get_final_response()"
            stream.get_final_response()


def _loop(sdk: OpenAI, exchange: Exchange, types: list[str]) -> Lines:
    """The loop of the README; `types` takes the types of the events."""
    yield "client.responses.create(stream=True)"
    stream = sdk.responses.create(**asked(exchange.request, "input"))
    turns = 0
    yield "for event in stream"
    for turns, event in enumerate(stream, 1):  # noqa: B007 - counted for the check after the loop
        types.append(event.type)
        yield from _turn(event)
        yield "for event in stream"
    expect_turns(turns, exchange)


def _turn(event: ResponseStreamEvent) -> Lines:
    if event.type == "response.output_text.delta":
        yield "text += event.delta"
        _ = "" + event.delta
    elif event.type == "response.function_call_arguments.delta":
        yield "arguments += event.delta"
        _ = "" + event.delta
    elif event.type == "response.completed":
        yield from _items(event.response)
    yield "event.model_dump()"
    event.model_dump()


def _items(response: Response) -> Lines:
    yield "for item in response.output"
    for item in response.output:
        if item.type == "function_call":
            yield "json.loads(item.arguments)"
            parsed(item.arguments)
    yield "total += response.usage.total_tokens"
    if response.usage is not None:
        _ = 0 + response.usage.input_tokens + response.usage.output_tokens + response.usage.total_tokens
