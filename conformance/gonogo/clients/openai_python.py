"""openai-python reads recorded answers in the way applications use it.

Each reader follows the SDK's README, its cookbook and the examples of servers. The SDK checks no types: a missing field
is None, and one of another type is kept. An application therefore breaks when it uses a value; the readers concatenate
texts, sum tokens and parse arguments.
"""

from __future__ import annotations

import io
import json
import math
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from gonogo.clients.breakage import NotInstalled
from gonogo.clients.python_sdk import reader_of
from gonogo.clients.recording import BASE_URL, expect_turns

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from openai import OpenAI
    from openai.types import CompletionUsage
    from openai.types.chat import ChatCompletionChunk

    from gonogo.clients.python_sdk import Transport
    from gonogo.exchange import Exchange, Request

    Lines = Iterator[str]

NAME = "openai-python"


def require() -> ModuleType:
    """The SDK, imported. Raises NotInstalled if it is not there."""
    try:
        import openai  # noqa: PLC0415 - takes most of a second; imported only on use

        # A stream of the SDK that is garbage-collected while another lane imports httpx fails on the partly imported
        # module.
        # Closing it before does not help: Stream.close() leaves the generator that looks up httpx.
        with suppress(ImportError):
            import httpx  # noqa: F401, PLC0415 - as above
    except ImportError:
        raise NotInstalled(NAME) from None
    return openai


def _connect(http: Transport) -> OpenAI:
    from openai import OpenAI  # noqa: PLC0415 - as above

    return OpenAI(api_key="none", base_url=BASE_URL, max_retries=0, http_client=http)


reader = reader_of(NAME, require, _connect)


# ---- models --------------------------------------------------------------------------------------------------


@reader
def models(sdk: OpenAI, exchange: Exchange) -> Lines:
    """The list of models, or one model, by the path of the request."""
    path = exchange.request.path
    if path == "/models":
        yield "client.models.list()"
        page = sdk.models.list()
        yield "[model.id for model in models.data]"
        ids = [model.id for model in page.data]
        yield '", ".join(ids)'
        ", ".join(ids)
        yield "models.model_dump()"
        page.model_dump()
    else:
        yield "client.models.retrieve(id)"
        model = sdk.models.retrieve(unquote(path.removeprefix("/models/")))
        yield '"model " + model.id'
        _ = "model " + model.id
        yield "model.model_dump()"
        model.model_dump()


# ---- chat ----------------------------------------------------------------------------------------------------


@reader
def chat(sdk: OpenAI, exchange: Exchange) -> Lines:
    """A chat completion in one piece."""
    yield "client.chat.completions.create()"
    completion = sdk.chat.completions.create(**asked(exchange.request, "messages"))
    yield "completion.choices[0].message.content"
    _ = "" + (completion.choices[0].message.content or "")
    for choice in completion.choices:
        yield "text += choice.message.content"
        _ = "" + (choice.message.content or "")
        yield "for call in choice.message.tool_calls"
        for call in choice.message.tool_calls or ():
            yield "json.loads(call.function.arguments)"
            if call.type != "custom":
                parsed(call.function.arguments)
        yield "for token in choice.logprobs.content"
        for token in (choice.logprobs and choice.logprobs.content) or ():
            yield "math.exp(token.logprob)"
            math.exp(token.logprob)
    yield "total += completion.usage.total_tokens"
    _sum(completion.usage)
    yield "completion.model_dump()"
    completion.model_dump()


@reader
def chat_stream(sdk: OpenAI, exchange: Exchange) -> Lines:
    """A streamed chat completion: the loop of the README, and then the SDK's own helper on the same bytes."""
    from openai import (  # noqa: PLC0415 - as above
        ContentFilterFinishReasonError,
        LengthFinishReasonError,
    )

    order: list[int] = []
    yield from _chat_loop(sdk, exchange, order)
    if order != [*range(len(order))] and set(order) == {*range(len(order))}:
        return  # the helper assumes that the first choice to arrive has index 0, which no contract guarantees
    yield "client.chat.completions.stream()"
    with sdk.chat.completions.stream(**asked(exchange.request, "messages", without="stream")) as stream:
        yield "for event in client.chat.completions.stream()"
        for _ in stream:
            pass
        yield "client.chat.completions.stream().get_final_completion()"
        with suppress(LengthFinishReasonError, ContentFilterFinishReasonError):  # a correct end for it
            stream.get_final_completion()


def _chat_loop(sdk: OpenAI, exchange: Exchange, order: list[int]) -> Lines:
    """The loop of the README; `order` takes the indexes of the choices as they begin."""
    yield "client.chat.completions.create(stream=True)"
    stream = sdk.chat.completions.create(**asked(exchange.request, "messages"))
    arguments: defaultdict[int, str] = defaultdict(str)
    turns = 0
    yield "for chunk in stream"
    for turns, chunk in enumerate(stream, 1):  # noqa: B007 - counted for the check after the loop
        yield from _chat_turn(chunk, arguments)
        order += [choice.index for choice in chunk.choices if choice.index not in order]
        yield "for chunk in stream"
    expect_turns(turns, exchange)


def _chat_turn(chunk: ChatCompletionChunk, arguments: defaultdict[int, str]) -> Lines:
    yield "for choice in chunk.choices"
    for choice in chunk.choices:
        yield "text += choice.delta.content"
        _ = "" + (choice.delta.content or "")
        yield "for call in choice.delta.tool_calls"
        for call in choice.delta.tool_calls or ():
            yield "arguments[call.index] += call.function.arguments"
            if call.function is not None:
                arguments[call.index] += call.function.arguments or ""
    yield "total += chunk.usage.total_tokens"
    _sum(chunk.usage)
    yield "chunk.model_dump()"
    chunk.model_dump()


# ---- completions ---------------------------------------------------------------------------------------------


@reader
def completions(sdk: OpenAI, exchange: Exchange) -> Lines:
    """A completion in one piece."""
    yield "client.completions.create()"
    completion = sdk.completions.create(**asked(exchange.request, "prompt"))
    yield "completion.choices[0].text"
    _ = "" + completion.choices[0].text
    for choice in completion.choices:
        yield "text += choice.text"
        _ = "" + choice.text
    yield "total += completion.usage.total_tokens"
    _sum(completion.usage)
    yield "completion.model_dump()"
    completion.model_dump()


@reader
def completions_stream(sdk: OpenAI, exchange: Exchange) -> Lines:
    """A streamed completion."""
    yield "client.completions.create(stream=True)"
    stream = sdk.completions.create(**asked(exchange.request, "prompt"))
    turns = 0
    yield "for chunk in stream"
    for turns, chunk in enumerate(stream, 1):  # noqa: B007 - counted for the check after the loop
        yield "for choice in chunk.choices"
        for choice in chunk.choices:
            yield "text += choice.text"
            _ = "" + choice.text
        yield "total += chunk.usage.total_tokens"
        _sum(chunk.usage)
        yield "chunk.model_dump()"
        chunk.model_dump()
        yield "for chunk in stream"
    expect_turns(turns, exchange)


# ---- embeddings ----------------------------------------------------------------------------------------------


@reader
def embeddings(sdk: OpenAI, exchange: Exchange) -> Lines:
    """Embeddings; the SDK requests base64 by default, and decodes it."""
    given = asked(exchange.request, "input")
    if given["extra_body"].pop("encoding_format", None) == "float":
        given["encoding_format"] = "float"
    yield "client.embeddings.create()"
    answer = sdk.embeddings.create(**given)
    yield "for item in response.data"
    for item in answer.data:
        yield "math.hypot(*item.embedding)"
        math.hypot(*item.embedding)
    yield "total += response.usage.total_tokens"
    _ = 0 + answer.usage.prompt_tokens + answer.usage.total_tokens
    yield "response.model_dump()"
    answer.model_dump()


# ---- errors --------------------------------------------------------------------------------------------------


@reader
def errors(sdk: OpenAI, exchange: Exchange) -> Lines:
    """A refusal of any request: the SDK raises by the status alone, and applications read the exception.

    Its own README reads the error's attributes. `error.body` is the value of "error", or the whole body without it:
    Langflow's OpenAI component reads the message of a BadRequestError from there.
    """
    from openai import APIStatusError, BadRequestError  # noqa: PLC0415 - as above

    yield "client.post()"
    try:
        sdk.post(exchange.request.path, cast_to=object)
    except APIStatusError as error:
        yield "print(error.status_code, error.message, error.code, error.param)"
        print(error.status_code, error.message, error.code, error.param, file=io.StringIO())
        if isinstance(error, BadRequestError):
            body: Any = error.body
            yield 'error.body.get("message") of Langflow, which is built on it'
            body.get("message")


# ---- shared --------------------------------------------------------------------------------------------------


def asked(request: Request, content: str, without: str = "") -> dict[str, Any]:
    """The recorded body as the arguments of `create`; fields that the SDK does not know are passed through."""
    rest = request.fields
    rest.pop(without, None)
    arguments = {name: rest.pop(name, "") for name in ("model", content)}
    if "stream" in rest:
        arguments["stream"] = rest.pop("stream")
    return {**arguments, "extra_body": rest}


def _sum(usage: CompletionUsage | None) -> None:
    if usage is not None:
        _ = 0 + usage.prompt_tokens + usage.completion_tokens + usage.total_tokens


def parsed(arguments: str) -> None:
    """Parse the arguments of a call, as an application does before it runs it."""
    with suppress(ValueError):  # the model's mistake: by the schema it may write invalid JSON
        json.loads(arguments)
