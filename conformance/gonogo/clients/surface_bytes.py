"""The content of a response or a message, parsed as leniently as `bytes_say` parses chunks."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gonogo.clients.bytes_say import Told, values

if TYPE_CHECKING:
    from collections.abc import Mapping

    Object = dict[str, Any]

ENDS: Final[Mapping[str, str]] = {"max_output_tokens": "length", "content_filter": "content_filter"}
REASONS: Final[Mapping[str, str]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
"""The chat finish reasons for the reasons of both surfaces; any other becomes "other"."""


@dataclass(frozen=True, slots=True)
class SurfaceTold:
    """The content of a body, added up; the finish is a chat finish reason, None if the reason is unknown.

    `texts` are all its texts: a streamed response has its text up to three times. `cached` are prompt tokens that a
    message does not include in its input tokens.
    """

    told: Told
    texts: frozenset[str]
    cached: int = 0


def surface_says(path: str, body: bytes) -> SurfaceTold:
    """The content of a body from that path; unreadable parts are omitted."""
    reading = _Message() if path == "/messages" else _Response()
    for value in values(body):
        with suppress(AttributeError, TypeError, KeyError, IndexError):
            reading.take(value)
    texts = frozenset(filter(None, (reading.told.text, *reading.others)))
    return SurfaceTold(reading.told, texts, reading.cached)


class _Response:
    """Reads a response, complete or event by event; values that no event has come from the last event.

    `others` are the texts of the events that end a part, and of the last one.
    """

    cached = 0

    def __init__(self) -> None:
        self.told = Told()
        self.others = ["", ""]

    def take(self, value: Object) -> None:
        kind = value.get("type", "")
        if kind == "response.output_text.delta":
            self.told.text += value["delta"]
        elif kind == "response.output_text.done":
            self.others[0] += value["text"]
        elif kind == "response.output_item.done" and value["item"]["type"] == "function_call":
            self.told.calls.append(_call(value["item"]))
        elif kind in ("response.completed", "response.incomplete", "response.failed"):
            self._end(value["response"])
        elif not kind and isinstance(value.get("output"), list):
            self._end(value)

    def _end(self, response: Object) -> None:
        output = response.get("output") or []
        self.others[1] = "".join(map(_text, output))
        self.told.text = self.told.text or self.others[0] or self.others[1]
        calls = [_call(item) for item in output if item["type"] == "function_call"]
        self.told.calls = self.told.calls or calls
        status, details = response["status"], response.get("incomplete_details")
        if details or status == "incomplete":
            self.told.finish = ENDS.get((details or {}).get("reason", ""), "other")
        elif status == "completed":
            self.told.finish = "tool_calls" if self.told.calls else "stop"
        usage = response["usage"]
        self.told.usage = (usage["input_tokens"], usage["output_tokens"])
        self.told.tokens = usage.get("total_tokens")


def _text(item: Object) -> str:
    parts = item["content"] if item["type"] == "message" else []
    return "".join(part["text"] for part in parts if part["type"] == "output_text")


def _call(item: Object) -> list[Any]:
    return [item.get("call_id"), item.get("name"), item.get("arguments") or ""]


class _Message:
    """Reads a message, complete or event by event."""

    others: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.told = Told()
        self.cached = 0
        self._calls: dict[object, list[Any]] = {}

    def take(self, value: Object) -> None:
        kind = value.get("type")
        if kind == "message_start":
            self._count(value["message"]["usage"] | {"output_tokens": None})
        elif kind == "content_block_start":
            self._begin(value["index"], value["content_block"])
        elif kind == "content_block_delta":
            self._add(value.get("index"), value["delta"])
        elif kind == "message_delta":
            self._end(value["delta"], value["usage"])
        elif kind == "message":
            for index, block in enumerate(value["content"]):
                self._begin(index, block)
            self._end(value, value["usage"])

    def _begin(self, index: object, block: Object) -> None:
        if block["type"] == "tool_use":
            given = block.get("input")
            call = [block.get("id"), block.get("name"), json.dumps(given) if given else ""]
            self._calls[index] = call
            self.told.calls.append(call)
        else:
            self.told.text += block.get("text") or ""

    def _add(self, index: object, delta: Object) -> None:
        if delta["type"] == "text_delta":
            self.told.text += delta["text"]
        elif delta["type"] == "input_json_delta":
            self._calls[index][2] += delta["partial_json"]

    def _end(self, ended: Object, usage: Object) -> None:
        if reason := ended.get("stop_reason"):
            self.told.finish = REASONS.get(reason, "other")
        self._count(usage)

    def _count(self, usage: Object) -> None:
        before = self.told.usage or (None, None)
        counts = ("cache_read_input_tokens", "cache_creation_input_tokens")
        self.cached = sum(usage.get(name) or 0 for name in counts) or self.cached
        given, output = usage.get("input_tokens", before[0]), usage.get("output_tokens", before[1])
        self.told.usage = (given, output)
        self.told.tokens = None if given is None or output is None else given + output
