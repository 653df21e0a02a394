"""Converts an answer to a message: its events, and the whole object. No I/O."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Final
from uuid import uuid4

from gonogo_server import sse
from gonogo_server.answers.stream import Counted
from gonogo_server.envelope import message_envelope
from gonogo_server.surfaces.blocks import Closed, Ended, Grown, Kind, Opened
from gonogo_server.surfaces.writer import BlockWriter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo_server.surfaces.blocks import Event

Document = dict[str, Any]

FIELDS: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.REASONING: ("thinking_delta", "thinking"),
    Kind.TEXT: ("text_delta", "text"),
    Kind.REFUSAL: ("text_delta", "text"),
    Kind.CALL: ("input_json_delta", "partial_json"),
}
"""The type of a block's deltas, and the field with the text."""


class MessageWriter(BlockWriter):
    """Tells one message of `model`, whose prompt has so many tokens; 0 if they are known only at the end.

    `shows_thinking`: whether blocks of thinking have their text. `clipped`: whether the limit is that of the model's
    context and not the request's.
    """

    ping: ClassVar = sse.named({"type": "ping"})

    def __init__(
        self, model: str, prompt_tokens: int = 0, *, shows_thinking: bool = True, clipped: bool = False
    ) -> None:
        super().__init__()
        self._model = model
        self._prompt_tokens = prompt_tokens
        self._shows_thinking = shows_thinking
        self._clipped = clipped
        self._id = f"msg_{uuid4().hex}"
        self._refused = False
        self._content: list[Document] = []
        self._arguments = ""

    def clip(self) -> None:
        """The limit is that of the model's context and not the request's."""
        self._clipped = True

    def failure(self, error: BaseException) -> bytes:
        """The error event, after which nothing comes."""
        return sse.named(message_envelope(error).model_dump(exclude={"request_id"}))

    def whole(self) -> Document:
        """The object of an answer that is over."""
        return self._object() | self._end()

    def _begin(self) -> list[Document]:
        return [{"type": "message_start", "message": self._object()}]

    def _tell(self, event: Event) -> list[Document]:
        match event:
            case Opened():
                return [self._open(event)]
            case Grown(text=text):
                return self._grow(text)
            case Closed():
                return self._close()
            case Ended():
                self._ended = event
                return []
            case Counted():
                self._counted = event
                ended = {"type": "message_delta", "delta": self._end(), "usage": self._usage()}
                return [ended, {"type": "message_stop"}]

    @property
    def _index(self) -> int:
        return len(self._content) - 1

    def _open(self, event: Opened) -> Document:
        self._kind, self._arguments = event.kind, ""
        match event.kind:
            case Kind.TEXT | Kind.REFUSAL:
                block: Document = {"type": "text", "text": ""}
                self._refused |= event.kind is Kind.REFUSAL
            case Kind.REASONING:
                block = {"type": "thinking", "thinking": "", "signature": ""}
            case Kind.CALL:
                assert event.call is not None, "blocks say which"
                block = {"type": "tool_use", "id": event.call.id, "name": event.call.name, "input": {}}
        self._content.append(block)
        return {"type": "content_block_start", "index": self._index, "content_block": dict(block)}

    def _grow(self, text: str) -> list[Document]:
        kind, name = FIELDS[self._kind]
        match self._kind:
            case Kind.CALL:
                self._arguments += text
            case Kind.REASONING if not self._shows_thinking:
                return []
            case _:
                self._content[-1][name] += text
        delta = {"type": kind, name: text}
        return [{"type": "content_block_delta", "index": self._index, "delta": delta}]

    def _close(self) -> list[Document]:
        if self._kind is Kind.CALL:
            self._content[-1]["input"] = _input(self._arguments)
        return [{"type": "content_block_stop", "index": self._index}]

    def _object(self) -> Document:
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": list(self._content),
            "stop_reason": None,
            "stop_sequence": None,
            "usage": self._usage(),
        }

    def _end(self) -> Document:
        assert self._ended is not None, "it is asked for at the end"
        return {"stop_reason": self._reason(self._ended), "stop_sequence": self._ended.stop}

    def _reason(self, ended: Ended) -> str:
        if ended.reason == "length":
            return "model_context_window_exceeded" if self._clipped else "max_tokens"
        if ended.stop is not None:
            return "stop_sequence"
        if ended.reason == "content_filter" or self._refused:
            return "refusal"
        return "tool_use" if any(block["type"] == "tool_use" for block in self._content) else "end_turn"

    def _usage(self) -> Document:
        """Tokens of the prompt that came from the cache are counted beside the others, as this API does."""
        cached = self._counted.cached_tokens if self._counted else 0
        prompt = self._counted.prompt_tokens if self._counted else self._prompt_tokens
        return {
            "input_tokens": prompt - cached,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": cached,
            "output_tokens": self._counted.completion_tokens if self._counted else 0,
        }


def _input(arguments: str) -> Document:
    """The object that the pieces are; one that was cut at a limit is told as far as it is whole: not at all."""
    try:
        value = json.loads(arguments or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
