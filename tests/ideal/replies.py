"""Answers over HTTP: one JSON body, or the frames of a stream."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ideal.chat import Chat
    from ideal.completions import Continuations

Json = dict[str, Any]
CREATED = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Reply:
    """A status, extra headers, and the body in the pieces in which it is sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    pieces: tuple[bytes, ...]


def json_reply(value: Json, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """One JSON body."""
    body = _text(value)
    fields = (("content-type", "application/json"), ("content-length", str(len(body))))
    return Reply(status, (*fields, *headers), (body,))


def chat_reply(body: Json, name: str, chat: Chat) -> Reply:
    """A chat completion, whole or as a stream, as requested."""
    if body.get("stream"):
        head = _head("chat.completion.chunk", name, body)
        parts = [
            [{"index": number, "delta": d, "logprobs": p, "finish_reason": f} for d, p, f in choice.deltas()]
            for number, choice in enumerate(chat.choices)
        ]
        return _stream(body, head, parts, _usage(chat))
    choices = [
        {
            "index": number,
            "message": choice.message,
            "logprobs": choice.logprobs_of(choice.said),
            "finish_reason": choice.finish,
        }
        for number, choice in enumerate(chat.choices)
    ]
    return json_reply(_head("chat.completion", name, body) | {"choices": choices, "usage": _usage(chat)})


def completion_reply(body: Json, name: str, done: Continuations) -> Reply:
    """A completion, whole or as a stream, as requested."""
    head = _head("text_completion", name, body)
    if body.get("stream"):
        parts = [
            [{"index": number, "text": t, "logprobs": p, "finish_reason": f} for t, p, f in choice.pieces()]
            for number, choice in enumerate(done.choices)
        ]
        return _stream(body, head, parts, _usage(done))
    choices = [
        {
            "index": number,
            "text": choice.text,
            "logprobs": choice.all_logprobs,
            "finish_reason": choice.said.finish,
        }
        for number, choice in enumerate(done.choices)
    ]
    return json_reply(head | {"choices": choices, "usage": _usage(done)})


def _head(kind: str, name: str, body: Json) -> Json:
    return {"id": name, "object": kind, "created": CREATED, "model": body["model"]}


def _usage(done: Chat | Continuations) -> Json:
    """The usage with details: nothing is cached, nothing is audio, and the model does not reason."""
    prompt, completion = done.prompt_tokens, done.completion_tokens
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _stream(body: Json, head: Json, parts: Sequence[Sequence[Json]], usage: Json) -> Reply:
    """A frame for each piece, the choices in turn; usage if requested; the end."""
    counted = body.get("stream_options", {}).get("include_usage", False)
    extra: Json = {"usage": None} if counted else {}
    frames = [_frame(head | {"choices": [part]} | extra) for part in _in_turn(parts)]
    if counted:
        frames.append(_frame(head | {"choices": [], "usage": usage}))
    fields = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
    return Reply(200, fields, (*frames, b"data: [DONE]\n\n"))


def _in_turn(parts: Sequence[Sequence[Json]]) -> Iterator[Json]:
    for number in range(max(map(len, parts))):
        yield from (pieces[number] for pieces in parts if number < len(pieces))


def _frame(value: Json) -> bytes:
    return b"data: " + _text(value) + b"\n\n"


def _text(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
