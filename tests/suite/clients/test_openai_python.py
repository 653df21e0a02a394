"""What openai-python makes of answers that deviate; each expectation was observed first.

Only the kind of the exception and the line of the application are compared: the words are Python's.
"""

from __future__ import annotations

import json
import struct
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import openai
import pytest
from gonogo.clients import openai_python

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.clients.breakage import Breakage
    from gonogo.exchange import Exchange

    Make = Callable[..., Exchange]

CHAT, COMPLETIONS, EMBEDDINGS = "/chat/completions", "/completions", "/embeddings"
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
DONE = "[DONE]"


def told(breakage: Breakage | None) -> str | None:
    """How the client broke, without the message of the exception."""
    return None if breakage is None else breakage.how.partition(": ")[0]


# ---- streamed chats ------------------------------------------------------------------------------------------


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**head, "choices": [choice], **more}


def call(arguments: object, **more: object) -> dict[str, Any]:
    return chunk({"tool_calls": [{"function": {"name": "f", "arguments": arguments}, **more}]})


ROLE = chunk({"role": "assistant", "content": ""})
TEXT = chunk({"content": "Hi"})
STOP = chunk({}, "stop")
COUNTS = {**chunk({}), "choices": [], "usage": USAGE}
NAMED = {"id": "c1", "type": "function"}
CALLED = chunk({}, "tool_calls")
LOOP = "for chunk in stream"
HELPER = "for event in client.chat.completions.stream()"
FINAL = "client.chat.completions.stream().get_final_completion()"


def lines(*events: object, before: bytes = b"data: ", after: bytes = b"\n\n") -> bytes:
    data = (event if isinstance(event, str) else json.dumps(event) for event in events)
    return b"".join(before + text.encode() + after for text in data)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param((ROLE, TEXT, STOP, COUNTS, DONE), id="as it should be"),
        pytest.param((ROLE, TEXT, STOP, COUNTS), id="no [DONE]"),
        pytest.param((lines(ROLE, TEXT, STOP, DONE, after=b"\r\n\r\n"),), id="CR LF"),
        pytest.param((lines(ROLE, TEXT, STOP, DONE, after=b"\r\r"),), id="CR"),
        pytest.param((lines(ROLE, TEXT, STOP, DONE, before=b"data:"),), id="no space after data:"),
        pytest.param((ROLE, b": ping\n\n", TEXT, STOP, DONE), id="a comment"),
        pytest.param((ROLE, TEXT, STOP, b"data: [DONE]"), id="no blank line at the end"),
        pytest.param((b"\xef\xbb\xbf" + lines(ROLE, TEXT, STOP, DONE),), id="a byte order mark"),
        pytest.param((ROLE, {**TEXT, "id": "d"}, STOP, DONE), id="another id"),
        pytest.param((ROLE, chunk({"role": "assistant", "content": "Hi"}), STOP, DONE), id="the role twice"),
        pytest.param((ROLE, chunk({"content": "Hi"}, ""), STOP, DONE), id='"" as finish_reason'),
        pytest.param((ROLE, TEXT, chunk({}, "length"), DONE), id="cut off by the limit"),
        pytest.param((ROLE, TEXT, chunk({}, "content_filter"), DONE), id="filtered"),
        pytest.param((ROLE, call("{}", index=0, **NAMED), CALLED, DONE), id="a call"),
        pytest.param((ROLE, call("{}", index=0, **NAMED), call("", index=0), CALLED, DONE), id="in pieces"),
        pytest.param((ROLE, call("{", index=0, **NAMED), CALLED, DONE), id="arguments that are no JSON"),
        pytest.param((ROLE, {**TEXT, "x": float("nan")}, STOP, DONE), id="NaN where nobody looks"),
        # No contract says which choice begins, and the helper takes the first one for number 0.
        pytest.param(
            ({**ROLE, "choices": [{**ROLE["choices"][0], "index": 1}]}, ROLE, STOP, DONE),
            id="the second choice before the first",
        ),
    ],
)
def test_a_stream_that_it_reads(streamed: Make, events: tuple[object, ...]) -> None:
    assert openai_python.chat_stream(streamed(CHAT, *events)) is None


@pytest.mark.parametrize(
    ("events", "how"),
    [
        pytest.param(
            (ROLE, {key: value for key, value in COUNTS.items() if key != "choices"}, DONE),
            "TypeError in for choice in chunk.choices",
            id="the usage chunk without choices",
        ),
        pytest.param(
            (ROLE, {**COUNTS, "choices": None}, DONE),
            "TypeError in for choice in chunk.choices",
            id="the usage chunk with null as choices",
        ),
        pytest.param(
            (ROLE, {**COUNTS, "usage": {**USAGE, "total_tokens": None}}, DONE),
            "TypeError in total += chunk.usage.total_tokens",
            id="null as a count",
        ),
        pytest.param(
            (ROLE, call("{}", **NAMED), CALLED, DONE),
            f"TypeError in {HELPER}",
            id="a call without an index",
        ),
        pytest.param(
            (ROLE, call("{}", index=1, **NAMED), CALLED, DONE),
            f"IndexError in {HELPER}",
            id="calls that are counted from 1",
        ),
        pytest.param(
            (ROLE, call({"a": 1}, index=0, **NAMED), CALLED, DONE),
            "TypeError in arguments[call.index] += call.function.arguments",
            id="an object as arguments",
        ),
        pytest.param(
            (ROLE, b"id: 5\n\n", TEXT, STOP, DONE),
            f"JSONDecodeError in {LOOP}",
            id="an event with an id and no data",
        ),
        pytest.param(
            (ROLE, b"id: 5\n", TEXT, b": ping\n\n", STOP, DONE),
            f"JSONDecodeError in {LOOP}",
            id="a comment after an event with an id",
        ),
        pytest.param(
            (ROLE, b'data: {"x": NaN, "choices": [{"delta": NaN}]}\n\n', STOP, DONE),
            "AttributeError in text += choice.delta.content",
            id="NaN where somebody looks",
        ),
        pytest.param(
            (ROLE, {**TEXT, "choices": [{**TEXT["choices"][0], "index": None}]}, DONE),
            f"TypeError in {HELPER}",
            id="null as index",
        ),
        pytest.param(({**ROLE, "object": "x"}, DONE), f"AssertionError in {FINAL}", id="another object"),
        pytest.param((DONE,), f"AssertionError in {FINAL}", id="[DONE] alone"),
        pytest.param((b"data: caf\xe9\n\n", DONE), f"UnicodeDecodeError in {LOOP}", id="Latin-1"),
        pytest.param((ROLE, "loading", DONE), f"JSONDecodeError in {LOOP}", id="an event that is not JSON"),
    ],
)
def test_a_stream_that_breaks_it(streamed: Make, events: tuple[object, ...], how: str) -> None:
    assert told(openai_python.chat_stream(streamed(CHAT, *events))) == how


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(lines(ROLE, TEXT, STOP, before=b"", after=b"\n"), id="JSON lines"),
        pytest.param(json.dumps({**TEXT, "object": "chat.completion"}).encode(), id="one JSON object"),
    ],
)
def test_a_stream_that_it_loses_without_a_word(streamed: Make, body: bytes) -> None:
    breakage = openai_python.chat_stream(streamed(CHAT, body))
    assert breakage is not None
    assert breakage.how == f"delivers nothing from {len(body)} bytes, without an exception"


@pytest.mark.parametrize("pieces", [1, 7, 10_000])
def test_the_pieces_of_the_body_do_not_matter(streamed: Make, pieces: int) -> None:
    assert openai_python.chat_stream(streamed(CHAT, ROLE, TEXT, STOP, DONE, pieces=pieces)) is None
    broken = streamed(CHAT, ROLE, b"id: 5\n\n", DONE, pieces=pieces)
    assert told(openai_python.chat_stream(broken)) == f"JSONDecodeError in {LOOP}"


# ---- whole chats ---------------------------------------------------------------------------------------------


def chat(message: dict[str, Any] | None = None, **more: object) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi", **(message or {})}}
    head = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": USAGE}
    return {**head, "choices": [{**choice, "finish_reason": "stop"}], **more}


def with_call(arguments: object) -> dict[str, Any]:
    one = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    return chat({"content": None, "tool_calls": [one]})


def with_logprob(value: object) -> dict[str, Any]:
    answer = chat()
    answer["choices"][0]["logprobs"] = {"content": [{"token": "Hi", "logprob": value}]}
    return answer


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(chat(), id="as it should be"),
        pytest.param(chat({"content": None}), id="null as content"),
        pytest.param(chat(usage=None), id="no usage"),
        pytest.param(with_call("{}"), id="a call"),
        pytest.param(with_call("{"), id="arguments that are no JSON"),
        pytest.param(with_logprob(-0.5), id="logprobs"),
        pytest.param({"choices": [{"message": {}}]}, id="hardly anything"),
    ],
)
def test_a_chat_that_it_reads(whole: Make, answer: object) -> None:
    assert openai_python.chat(whole(CHAT, answer)) is None


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        pytest.param({"id": "c"}, "TypeError in completion.choices[0].message.content", id="no choices"),
        pytest.param(
            {"error": {"message": "No."}},
            "TypeError in completion.choices[0].message.content",
            id="an error with 200",
        ),
        pytest.param(
            chat({"content": [{"type": "text", "text": "Hi"}]}),
            "TypeError in completion.choices[0].message.content",
            id="content in parts",
        ),
        pytest.param(
            with_call({"a": 1}),
            "TypeError in json.loads(call.function.arguments)",
            id="an object as arguments",
        ),
        pytest.param(
            chat(usage=dict.fromkeys(USAGE)),
            "TypeError in total += completion.usage.total_tokens",
            id="null counts",
        ),
        pytest.param(with_logprob(None), "TypeError in math.exp(token.logprob)", id="null as a logprob"),
        pytest.param(
            b"<html></html>",
            "JSONDecodeError in client.chat.completions.create()",
            id="a web page called JSON",
        ),
    ],
)
def test_a_chat_that_breaks_it(whole: Make, answer: object, how: str) -> None:
    assert told(openai_python.chat(whole(CHAT, answer))) == how


def test_a_web_page_with_200_is_a_string_to_it(whole: Make) -> None:
    breakage = openai_python.chat(whole(CHAT, b"<html></html>", "text/html"))
    assert told(breakage) == "AttributeError in completion.choices[0].message.content"


def test_it_reads_json_that_is_called_plain_text(whole: Make) -> None:
    assert openai_python.chat(whole(CHAT, chat(), "text/plain")) is None


def test_a_breakage_names_the_client_and_version_and_is_bounded(whole: Make) -> None:
    breakage = openai_python.chat(whole(CHAT, {"choices": {"a": 1}}))
    assert (
        str(breakage)
        == f"openai-python {openai.__version__}: KeyError in completion.choices[0].message.content: 0"
    )
    long = openai_python.chat(whole(CHAT, {"error": {"message": "No. " * 1000}}, status=400))
    assert long is not None
    assert long.how.startswith(
        "BadRequestError in client.chat.completions.create(): Error code: 400 - No. No."
    )
    assert len(long.how) < 400


# ---- completions, embeddings, models -------------------------------------------------------------------------


def text(value: object, **more: object) -> dict[str, Any]:
    choice = {"index": 0, "text": value, "finish_reason": "stop"}
    return {"id": "c", "object": "text_completion", "model": "m", "choices": [choice], "usage": USAGE, **more}


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (text("Hi"), None),
        (text(None), "TypeError in completion.choices[0].text"),
        (text("Hi", choices=None), "TypeError in completion.choices[0].text"),
        (text("Hi", usage={}), "TypeError in total += completion.usage.total_tokens"),
    ],
)
def test_completions(whole: Make, answer: object, how: str | None) -> None:
    assert told(openai_python.completions(whole(COMPLETIONS, answer))) == how


@pytest.mark.parametrize(
    ("events", "how"),
    [
        ((text("Hi"), text("", choices=[]), DONE), None),
        ((text("Hi"), text("", choices=None), DONE), "TypeError in for choice in chunk.choices"),
        ((text(None), DONE), "TypeError in text += choice.text"),
        ((b'{"choices": []}\n',), "delivers nothing from 16 bytes, without an exception"),
    ],
)
def test_streamed_completions(streamed: Make, events: tuple[object, ...], how: str | None) -> None:
    assert told(openai_python.completions_stream(streamed(COMPLETIONS, *events))) == how


BASE64 = b64encode(struct.pack("<2f", 0.5, 0.25)).decode()


def vector(value: object, **more: object) -> dict[str, Any]:
    item = {"object": "embedding", "index": 0, "embedding": value}
    return {"object": "list", "model": "e", "data": [item], "usage": USAGE, **more}


@pytest.mark.parametrize(
    ("answer", "asked", "how"),
    [
        (vector([0.5, 0.25]), None, None),
        (vector(BASE64), None, None),
        (vector(BASE64), "base64", None),
        (vector([0.5]), "base64", None),
        (vector(BASE64), "float", "TypeError in math.hypot(*item.embedding)"),
        (vector(BASE64[:-3]), None, "Error in client.embeddings.create()"),
        (vector([0.5], data=[]), None, "ValueError in client.embeddings.create()"),
        (vector([0.5], usage=None), None, "AttributeError in total += response.usage.total_tokens"),
    ],
)
def test_embeddings(whole: Make, answer: object, asked: str | None, how: str | None) -> None:
    form = {} if asked is None else {"encoding_format": asked}
    assert told(openai_python.embeddings(whole(EMBEDDINGS, answer, asked=form))) == how


@pytest.mark.parametrize(
    ("path", "answer", "how"),
    [
        ("/models", {"object": "list", "data": [{"id": "m"}]}, None),
        ("/models", {"object": "list", "data": []}, None),
        ("/models", {"models": []}, "TypeError in [model.id for model in models.data]"),
        ("/models", {"data": [{"id": 1}]}, 'TypeError in ", ".join(ids)'),
        ("/models", [{"id": "m"}], "AttributeError in client.models.list()"),
        ("/models/org%2Fm", {"id": "org/m"}, None),
        ("/models/org%2Fm", {"data": []}, 'TypeError in "model " + model.id'),
    ],
)
def test_models(whole: Make, path: str, answer: object, how: str | None) -> None:
    assert told(openai_python.models(whole(path, answer))) == how


# ---- errors --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            {"error": {"message": "No.", "type": "t", "param": None, "code": None}}, id="the envelope"
        ),
        pytest.param({"object": "error", "message": "No."}, id="a flat envelope"),
        pytest.param({"detail": "No."}, id="detail"),
    ],
)
def test_an_error_that_it_reads(whole: Make, answer: object) -> None:
    assert openai_python.errors(whole(CHAT, answer, status=400)) is None


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param({"error": "No."}, 400, id="a string as error"),
        pytest.param({"error": None}, 400, id="null as error"),
        pytest.param([{"error": {"message": "No."}}], 400, id="a list"),
        pytest.param(b"<html></html>", 400, id="a web page"),
        pytest.param(b"", 400, id="nothing"),
    ],
)
def test_an_error_that_breaks_clients_that_read_it(whole: Make, answer: object, status: int) -> None:
    breakage = openai_python.errors(whole(CHAT, answer, status=status))
    assert told(breakage) == 'AttributeError in error.body.get("message") of Langflow, which is built on it'
