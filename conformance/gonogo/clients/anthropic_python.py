"""anthropic-python reads recorded messages as applications use it. Each reader follows the SDK's README and helpers: it
reads the blocks and the usage, for a stream the deltas, and then the same bytes with the SDK's own helper. Like
openai-python it checks no types, so an application breaks where it uses a value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonogo.clients.breakage import NotInstalled
from gonogo.clients.python_sdk import reader_of
from gonogo.clients.recording import BASE_URL, expect_turns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType

    from anthropic import Anthropic
    from anthropic.types import ContentBlock, RawMessageStreamEvent, Usage

    from gonogo.clients.python_sdk import Transport
    from gonogo.exchange import Exchange, Request

    Lines = Iterator[str]

NAME = "anthropic-python"


def require() -> ModuleType:
    """The SDK, imported. Raises NotInstalled if it is not there."""
    try:
        import anthropic  # noqa: PLC0415 - an extra, and half a second to import
    except ImportError:
        raise NotInstalled(NAME) from None
    return anthropic


def _connect(http: Transport) -> Anthropic:
    from anthropic import Anthropic  # noqa: PLC0415 - as above

    return Anthropic(api_key="none", base_url=BASE_URL.removesuffix("/v1"), max_retries=0, http_client=http)


_reader = reader_of(NAME, require, _connect)


@_reader
def messages(sdk: Anthropic, exchange: Exchange) -> Lines:
    """A message in one piece."""
    yield "client.messages.create()"
    message = sdk.messages.create(**_asked(exchange.request))
    yield from _blocks(message.content)
    yield from _sum(message.usage)
    yield "message.model_dump()"
    message.model_dump()


@_reader
def messages_stream(sdk: Anthropic, exchange: Exchange) -> Lines:
    """A streamed message: a loop over the events, and then the SDK's own helper on the same bytes."""
    yield from _loop(sdk, exchange)
    yield "client.messages.stream()"
    with sdk.messages.stream(**_asked(exchange.request, without="stream")) as stream:
        yield "for event in client.messages.stream()"
        for _ in stream:
            pass
        yield "client.messages.stream().get_final_message()"
        message = stream.get_final_message()
        yield from _blocks(message.content)
        yield from _sum(message.usage)


def _loop(sdk: Anthropic, exchange: Exchange) -> Lines:
    yield "client.messages.create(stream=True)"
    stream = sdk.messages.create(**_asked(exchange.request))
    turns = 0
    yield "for event in stream"
    for turns, event in enumerate(stream, 1):  # noqa: B007 - counted for the check after the loop
        yield from _turn(event)
        yield "for event in stream"
    expect_turns(turns, exchange)


def _turn(event: RawMessageStreamEvent) -> Lines:
    if event.type == "content_block_delta" and event.delta.type == "text_delta":
        yield "text += event.delta.text"
        _ = "" + event.delta.text
    elif event.type == "message_delta":
        yield "total += event.usage.output_tokens"
        _ = 0 + event.usage.output_tokens
    yield "event.model_dump()"
    event.model_dump()


def _blocks(content: Iterable[ContentBlock]) -> Lines:
    yield "for block in message.content"
    for block in content:
        if block.type == "text":
            yield "text += block.text"
            _ = "" + block.text
        elif block.type == "tool_use":
            yield "run(block.name, **block.input)"
            _given: dict[str, Any] = {**block.input}


def _sum(usage: Usage) -> Lines:
    yield "total += message.usage.input_tokens + message.usage.output_tokens"
    _ = 0 + usage.input_tokens + usage.output_tokens


def _asked(request: Request, without: str = "") -> dict[str, Any]:
    """The recorded body as the arguments of `create`; fields that the SDK does not know are passed through."""
    rest = request.fields
    rest.pop(without, None)
    arguments = {"model": "", "messages": [], "max_tokens": 1}
    arguments |= {name: rest.pop(name) for name in [*arguments, "stream"] if name in rest}
    # The SDK refuses to request many tokens without streaming unless it gets a timeout.
    return {**arguments, "timeout": 60.0, "extra_body": rest}
