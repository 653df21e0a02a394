"""The answers of a correct server on every surface, as fixed bytes, and the requests for them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from gonogo.exchange import Chunk, Exchange, Headers, Request

from .canned_surfaces import SURFACES
from .canned_values import CALLS, MODEL, PIECES, TEXT

CHAT: Final = "/chat/completions"
USAGE: Final = {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16}
_HEAD: Final = {"id": "chatcmpl-c1", "created": 1_760_000_000, "model": MODEL}


@dataclass(frozen=True, slots=True)
class Scenario:
    """An everyday request, and the pieces of the correct answer."""

    name: str
    stream: bool
    tools: bool
    pieces: tuple[bytes, ...]
    path: str = CHAT

    def exchange(self, request: Request) -> Exchange:
        """The answer to a request of this form."""
        media_type = "text/event-stream" if self.stream else "application/json"
        headers: Headers = (("content-type", f"{media_type}; charset=utf-8"),)
        if not self.stream:
            headers = (*headers, ("content-length", str(sum(map(len, self.pieces)))))
        chunks = tuple(Chunk(0.0, piece) for piece in self.pieces)
        return Exchange("x1", "", request, 200, headers, chunks, None, 0.0)


def _event(value: object) -> bytes:
    return b"data: " + _text(value) + b"\n\n"


def _text(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return _event({**_HEAD, "object": "chat.completion.chunk", "choices": [choice], "usage": None})


def _stream(deltas: list[dict[str, Any]], finish: str) -> tuple[bytes, ...]:
    usage = _event({**_HEAD, "object": "chat.completion.chunk", "choices": [], "usage": USAGE})
    return (*map(_chunk, deltas), _chunk({}, finish), usage, b"data: [DONE]\n\n")


def _whole(message: dict[str, Any], finish: str) -> tuple[bytes, ...]:
    whole = {"role": "assistant", "content": None, "refusal": None, **message}
    choice = {"index": 0, "message": whole, "logprobs": None, "finish_reason": finish}
    return (_text({**_HEAD, "object": "chat.completion", "choices": [choice], "usage": USAGE}),)


def _call_deltas(calls: tuple[tuple[str, str, str], ...]) -> list[dict[str, Any]]:
    """Each call in three fragments: its head, and its arguments in two pieces."""
    found: list[dict[str, Any]] = [{"role": "assistant", "content": None}]
    for index, (call, name, arguments) in enumerate(calls):
        head = {"index": index, "id": call, "type": "function", "function": {"name": name, "arguments": ""}}
        found.append({"tool_calls": [head]})
        pieces = (
            {"index": index, "function": {"arguments": part}} for part in (arguments[:6], arguments[6:])
        )
        found += [{"tool_calls": [piece]} for piece in pieces]
    return found


def _call_message(calls: tuple[tuple[str, str, str], ...]) -> dict[str, Any]:
    listed = [
        {"id": call, "type": "function", "function": {"name": name, "arguments": arguments}}
        for call, name, arguments in calls
    ]
    return {"tool_calls": listed}


_TEXT_DELTAS: Final = [{"role": "assistant", "content": ""}, *({"content": piece} for piece in PIECES)]

SCENARIOS: Final = {
    one.name: one
    for one in (
        Scenario("text stream", stream=True, tools=False, pieces=_stream(_TEXT_DELTAS, "stop")),
        Scenario(
            "one call stream", stream=True, tools=True, pieces=_stream(_call_deltas(CALLS[:1]), "tool_calls")
        ),
        Scenario(
            "two calls stream", stream=True, tools=True, pieces=_stream(_call_deltas(CALLS), "tool_calls")
        ),
        Scenario("text", stream=False, tools=False, pieces=_whole({"content": TEXT}, "stop")),
        Scenario("two calls", stream=False, tools=True, pieces=_whole(_call_message(CALLS), "tool_calls")),
        *(
            Scenario(name, stream=stream, tools="calls" in name, pieces=pieces, path=path)
            for name, (path, stream, pieces) in SURFACES.items()
        ),
    )
}
