"""Converts an answer to a response: its events, and the whole object. No I/O.

Everything that an event says of an item is kept, so that the last event, and the object of a request without a stream,
have the same content.
"""

from __future__ import annotations

import time
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar, Final
from uuid import uuid4

from gonogo_server import sse
from gonogo_server.answers.logprobs import chat_logprobs
from gonogo_server.answers.stream import Counted
from gonogo_server.envelope import envelope
from gonogo_server.surfaces.blocks import Closed, Ended, Grown, Kind, Opened
from gonogo_server.surfaces.writer import BlockWriter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo_server.surfaces.blocks import Event

Document = dict[str, Any]

PREFIXES: Final[Mapping[Kind, str]] = {
    Kind.REASONING: "rs_",
    Kind.TEXT: "msg_",
    Kind.REFUSAL: "msg_",
    Kind.CALL: "fc_",
}
DELTAS: Final[Mapping[Kind, str]] = {
    Kind.REASONING: "response.reasoning_text",
    Kind.TEXT: "response.output_text",
    Kind.REFUSAL: "response.refusal",
    Kind.CALL: "response.function_call_arguments",
}
"""What the events of a block's text begin with."""
INCOMPLETE: Final[Mapping[str, str]] = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""`incomplete_details.reason` by the reason for which the answer ended."""
FAILURES: Final[Mapping[str, str]] = {"rate_limit_error": "rate_limit_exceeded"}
"""Codes of a failed response by the types of errors; any other is `server_error`."""


class ResponseWriter(BlockWriter):
    """Tells one response, which is the answer to a request that it echoes with `echo`."""

    ping: ClassVar = sse.WAITING

    def __init__(self, echo: Mapping[str, Any]) -> None:
        super().__init__()
        self._echo = dict(echo)
        self._id = f"resp_{uuid4().hex}"
        self._created = int(time.time())
        self._sequence = 0
        self._output: list[Document] = []
        self._part: Document = {}
        self._whole: Document | None = None

    def failure(self, error: BaseException) -> bytes:
        """The last event of a response that failed."""
        self.not_stored()
        told = self._object("failed") | {"error": failed(error)}
        failure = {"type": "response.failed", "response": told}
        return b"".join(map(self._written, [*self._opening(), failure]))

    def whole(self) -> Document:
        """The object of an answer that is over."""
        assert self._whole is not None, "it is asked for at the end"
        return self._whole

    def finished(self, counted: Counted) -> Document:
        """The same, before its last step is told."""
        assert self._ended is not None, "what ended is counted"
        self._counted = counted
        cut_by = INCOMPLETE.get(self._ended.reason)
        if cut_by is None:
            self._whole = self._object("completed") | {"completed_at": int(time.time())}
        else:
            self._whole = self._object("incomplete") | {"incomplete_details": {"reason": cut_by}}
        return self._whole

    def not_stored(self) -> None:
        """Say that the response is not stored, from here on."""
        self._echo["store"] = False
        if self._whole is not None:
            self._whole["store"] = False

    def _written(self, event: Document) -> bytes:
        number, self._sequence = self._sequence, self._sequence + 1
        return sse.named({"type": event["type"], "sequence_number": number, **event})

    def _begin(self) -> list[Document]:
        begun = self._object("in_progress")
        return [
            {"type": "response.created", "response": begun},
            {"type": "response.in_progress", "response": begun},
        ]

    def _tell(self, event: Event) -> list[Document]:
        match event:
            case Opened():
                return self._open(event)
            case Grown():
                return [self._grow(event)]
            case Closed(cut=cut):
                return self._close(cut=cut)
            case Ended():
                self._ended = event
                # An answer without text is still a message, because clients look for one.
                return (
                    []
                    if self._output
                    else [*self._open(Opened(Kind.TEXT)), *self._close(cut=event.reason in INCOMPLETE)]
                )
            case Counted():
                whole = self._whole or self.finished(event)
                return [{"type": f"response.{whole['status']}", "response": whole}]

    def _open(self, event: Opened) -> list[Document]:
        self._kind = event.kind
        item: Document = {
            "id": f"{PREFIXES[event.kind]}{uuid4().hex}",
            "type": "message",
            "status": "in_progress",
        }
        match event.kind:
            case Kind.TEXT:
                item |= {"role": "assistant", "content": []}
                self._part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            case Kind.REFUSAL:
                item |= {"role": "assistant", "content": []}
                self._part = {"type": "refusal", "refusal": ""}
            case Kind.REASONING:
                item |= {"type": "reasoning", "summary": [], "content": []}
                self._part = {"type": "reasoning_text", "text": ""}
            case Kind.CALL:
                assert event.call is not None, "blocks say which"
                item |= {
                    "type": "function_call",
                    "call_id": event.call.id,
                    "name": event.call.name,
                    "arguments": "",
                }
                self._part = {}
        self._output.append(item)
        added = {"type": "response.output_item.added", "output_index": self._index, "item": dict(item)}
        if event.kind is Kind.CALL:
            return [added]
        # A copy with its lists, which may grow before the event is written, as events that come together are.
        begun = deepcopy(self._part)
        return [added, {"type": "response.content_part.added", **self._place, "part": begun}]

    @property
    def _index(self) -> int:
        return len(self._output) - 1

    @property
    def _place(self) -> Document:
        place = {"item_id": self._output[-1]["id"], "output_index": self._index}
        return place if self._kind is Kind.CALL else place | {"content_index": 0}

    @property
    def _field(self) -> str:
        """The name of the text in the open part, and in the event that closes it."""
        return "refusal" if self._kind is Kind.REFUSAL else "text"

    def _grow(self, event: Grown) -> Document:
        delta = {"type": f"{DELTAS[self._kind]}.delta", **self._place, "delta": event.text}
        match self._kind:
            case Kind.CALL:
                self._output[-1]["arguments"] += event.text
            case Kind.REASONING | Kind.REFUSAL:
                self._part[self._field] += event.text
            case Kind.TEXT:
                said = [entry.model_dump() for entry in chat_logprobs(event.tokens).content or ()]
                self._part["text"] += event.text
                self._part["logprobs"] += said
                delta["logprobs"] = said
        return delta

    def _close(self, *, cut: bool) -> list[Document]:
        item = self._output[-1]
        item["status"] = "incomplete" if cut else "completed"
        done: Document = {"type": f"{DELTAS[self._kind]}.done", **self._place}
        item_done = {"type": "response.output_item.done", "output_index": self._index, "item": item}
        if self._kind is Kind.CALL:
            return [done | {"name": item["name"], "arguments": item["arguments"]}, item_done]
        item["content"] = [self._part]
        done |= {self._field: self._part[self._field]}
        if self._kind is Kind.TEXT:
            done |= {"logprobs": self._part["logprobs"]}
        part_done = {"type": "response.content_part.done", **self._place, "part": self._part}
        return [done, part_done, item_done]

    def _object(self, status: str) -> Document:
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "completed_at": None,
            "status": status,
            "error": None,
            "incomplete_details": None,
            **self._echo,
            "output": list(self._output),
            "usage": self._usage(),
        }

    def _usage(self) -> Document | None:
        if self._counted is None or not self._counted.known:
            return None
        counted = self._counted
        return {
            "input_tokens": counted.prompt_tokens,
            "input_tokens_details": {"cached_tokens": counted.cached_tokens},
            "output_tokens": counted.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": counted.reasoning_tokens or 0},
            "total_tokens": counted.prompt_tokens + counted.completion_tokens,
        }


def failed(error: BaseException) -> Document:
    """The `error` of a failed response: a code of the API, and a message."""
    shown = envelope(error).error
    code = shown.code if shown.code == "context_length_exceeded" else FAILURES.get(shown.type, "server_error")
    return {"code": code, "message": shown.message}
