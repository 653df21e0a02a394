"""Faults of the event stream itself, shared by chat completions and completions."""

from __future__ import annotations

import json

from gonogo.exchange import FailureKind
from gonogo.faults.editing import (
    DONE,
    appended,
    changed,
    copied,
    each,
    event,
    failing,
    frames,
    header,
    inserted,
    lines,
    put,
    raw,
    refused,
)
from gonogo.faults.fault import Fault, fault
from gonogo.faults.picks import asked, either, streamed
from gonogo.faults.rule_picks import last

STREAMS = either(streamed("/chat/completions"), streamed("/completions"))
CHAT = asked('POST /chat/completions {"stream":true}')
COUNTED = asked('POST /chat/completions {"stream":true,"stream_options":{"include_usage":true}}')

ERROR = event(
    {"error": {"message": "The model failed.", "type": "server_error", "param": None, "code": None}}
)


def _on_several_lines(frame: bytes) -> bytes:
    if frame == DONE:
        return frame
    text = json.dumps(json.loads(frame.removeprefix(b"data: ")), indent=1)
    return b"".join(b"data: " + line + b"\n" for line in text.encode().splitlines()) + b"\n"


def _as_python(frame: bytes) -> bytes:
    return frame if frame == DONE else f"data: {json.loads(frame[6:])!r}\n\n".encode()


FAULTS: tuple[Fault, ...] = (
    *(
        fault(name, imitates, "stream.content_type", changed(STREAMS, header("content-type", media_type)))
        for name, imitates, media_type in (
            ("streams as application/x-ndjson", "containers/ramalama#2837", "application/x-ndjson"),
            ("streams as text/plain", "Lightning-AI/LitServe#359", "text/plain; charset=utf-8"),
            ("streams without a content type", "a raw handler", None),
        )
    ),
    fault(
        "half a character in a stream",
        "mlc-ai/mlc-llm#804",
        "stream.utf8",
        changed(CHAT, raw(lambda data: data.replace(b'"content":"H"', b'"content":"\xf0\x9f"', 1))),
    ),
    fault(
        "Latin-1 in a stream",
        "a console's encoding",
        "stream.utf8",
        changed(CHAT, raw(lambda data: data.replace(b'"content":"H"', b'"content":"\xe9"', 1))),
    ),
    fault(
        "streams that end without a blank line",
        "a join in place of a terminator",
        ("stream.complete_events", "chat.stream.done", "completions.stream.done"),
        changed(STREAMS, raw(lambda data: data[:-1])),
    ),
    fault(
        "half an event after the end",
        "a buffer that is flushed late",
        "stream.complete_events",
        changed(CHAT, appended(b'data: {"id"')),
    ),
    fault(
        "events with a field of their own",
        "a trace id as a field",
        "stream.fields",
        changed(CHAT, lines(lambda frame: b"trace: 1\n" + frame)),
    ),
    fault(
        "a word on a line of its own",
        "a ping without its colon",
        "stream.fields",
        changed(CHAT, lines(lambda frame: b"ping\n" + frame)),
    ),
    fault(
        "JSON lines without data:",
        "Ollama's own streams under the name of the standard",
        ("stream.fields", "stream.no_empty_events", "stream.space", "chat.stream.events", "chat.stream.done"),
        changed(CHAT, raw(lambda data: data.replace(b"data: ", b""))),
    ),
    fault(
        "an id without data",
        "openai/openai-python#2722",
        ("stream.no_empty_events", "stream.data_only"),
        changed(CHAT, inserted(2, b": ping\nid: 5\n\n")),
    ),
    fault(
        "an event name without data",
        "keep-alives as named events",
        ("stream.no_empty_events", "stream.data_only"),
        changed(CHAT, inserted(2, b"event: ping\n\n")),
    ),
    fault(
        "named events",
        "the Responses API's form",
        "stream.data_only",
        changed(CHAT, lines(lambda frame: b"event: completion\n" + frame)),
    ),
    fault(
        "events with ids",
        "theopenco/llmgateway PR#2334",
        "stream.data_only",
        changed(CHAT, lines(lambda frame: b"id: 1\n" + frame)),
    ),
    fault(
        "a reconnection time",
        "a library's default for pages that reconnect",
        "stream.data_only",
        changed(CHAT, raw(lambda data: b"retry: 3000\n" + data)),
    ),
    fault(
        "JSON on several lines",
        "an encoder that indents",
        "stream.one_line",
        changed(CHAT, lines(_on_several_lines)),
    ),
    fault(
        "lines that end in CR LF",
        "oobabooga/textgen#5678",
        "stream.line_ends",
        changed(STREAMS, raw(lambda data: data.replace(b"\n", b"\r\n"))),
    ),
    fault(
        "lines that end in CR",
        "an end of line from before",
        "stream.line_ends",
        changed(STREAMS, raw(lambda data: data.replace(b"\n", b"\r"))),
    ),
    fault(
        "no space after data:",
        "davidmigloz/langchain_dart#778",
        "stream.space",
        changed(STREAMS, raw(lambda data: data.replace(b"data: ", b"data:"))),
    ),
    fault(
        "a byte order mark before the stream",
        "an encoding called utf-8-sig",
        "stream.bom",
        changed(STREAMS, raw(lambda data: b"\xef\xbb\xbf" + data)),
    ),
    fault(
        "an event that is not JSON",
        "a log line that went into the stream",
        "stream.json",
        changed(CHAT, inserted(1, b"data: loading model\n\n")),
    ),
    fault(
        "an event that is a list",
        "chunks in batches",
        "stream.json",
        changed(CHAT, inserted(1, b"data: []\n\n")),
    ),
    fault(
        "Python in place of JSON",
        "str() in place of json.dumps()",
        ("stream.json", "chat.stream.events"),
        changed(CHAT, lines(_as_python)),
    ),
    fault(
        "NaN in a chunk",
        "sgl-project/sglang#5984",
        "stream.json",
        changed(CHAT, inserted(1, b'data: {"choices":[{"index":0,"delta":{},"logprobs":NaN}]}\n\n')),
    ),
    fault(
        "a chunk after [DONE]",
        "a gateway that adds its costs",
        "stream.done_last",
        changed(CHAT, copied(1, 99, put("choices.0.delta", {}))),
    ),
    fault(
        "usage after [DONE]",
        "a count that comes too late",
        "stream.done_last",
        changed(COUNTED, frames(lambda old: [*old[:-2], old[-1], old[-2]])),
    ),
    fault(
        "a stream that is held open after [DONE]",
        "ml-explore/mlx-lm#1148",
        ("stream.ends", "http.in_time"),
        changed(CHAT, failing(FailureKind.TIMEOUT)),
    ),
    fault(
        "a connection that breaks after [DONE]",
        "a body without its last chunk",
        ("stream.ends", "http.complete"),
        changed(CHAT, failing(FailureKind.RESET)),
    ),
    fault(
        "a stream that breaks off",
        "mozilla-ai/any-llm PR#847, chatchat-space/Langchain-Chatchat#4542",
        ("http.complete", "chat.stream.done"),
        changed(CHAT, failing(FailureKind.RESET, keep=4)),
    ),
    fault(
        "a stream that is cut in the middle of an event",
        "open-webui/open-webui#29628",
        ("http.complete", "chat.stream.done", "stream.complete_events"),
        changed(CHAT, raw(lambda data: data[:900]), failing(FailureKind.RESET)),
    ),
    fault(
        "a stream that stops and stays open",
        "preloop/preloop#117",
        "http.in_time",
        changed(CHAT, failing(FailureKind.TIMEOUT, keep=4)),
    ),
    fault(
        "every stream fails the server, one with a token limit beyond every context too",
        "a gateway that cannot hand streams on",
        ("chat.stream.works", "completions.stream.works", "http.no_server_error"),
        changed(either(STREAMS, last("errors.token_limit.harmless")), refused(502)),
    ),
    fault(
        "an error in the middle of a stream",
        "open-webui/open-webui#29628",
        "stream.no_error",
        changed(CHAT, frames(lambda old: [*old[:4], ERROR])),
    ),
    fault(
        "an error in the middle of a stream that was to be counted",
        "open-webui/open-webui#29628",
        "stream.no_error",
        changed(COUNTED, frames(lambda old: [*old[:4], ERROR, DONE])),
    ),
    fault(
        "null as an error in every chunk",
        "a class that writes all its fields",
        "stream.no_empty_error",
        changed(CHAT, each(put("error", None))),
    ),
    fault(
        "an empty error in every chunk",
        "a class that writes all its fields",
        "stream.no_empty_error",
        changed(CHAT, each(put("error", {}))),
    ),
    fault(
        "an error in place of the stream",
        "sgl-project/sglang#19996",
        ("stream.no_error", "chat.stream.works", "completions.stream.works"),
        changed(STREAMS, frames(lambda _: [ERROR])),
    ),
    fault(
        "a string as the error of a stream",
        "an exception's text",
        "stream.no_error",
        changed(CHAT, frames(lambda old: [*old[:4], event({"error": "CUDA out of memory"})])),
    ),
)
