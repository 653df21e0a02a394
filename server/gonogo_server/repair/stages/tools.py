"""Tool calls in a stream: the call of each fragment, and the fields of its first fragment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.repair.stages.calls import Calls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document, Noted, Requested

RULES: Final = (
    "chat.stream.finish_called",
    "chat.stream.nulls",
    *(
        f"tools.stream.{name}"
        for name in (
            "schema",
            "index",
            "arguments",
            "id",
            "type",
            "once",
            "own_index",
            "numbered",
            "finish_reason",
        )
    ),
)


class Tools:
    """Numbers the calls of each choice from 0 in the order in which they begin, and sets "tool_calls" at their end.

    Raises UpstreamError for a fragment that belongs to no known call.
    """

    def __init__(self, requested: Requested, noted: Noted) -> None:
        self._fresh, self._noted = requested.fresh_id, noted
        self._calls: dict[int, Calls] = {}

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk, after fragments for arguments that proved to be empty."""
        edited = False
        before: list[Document] = []
        for choice in chunk["choices"]:
            if "tool_calls" in choice["delta"]:
                edited |= self._of(choice).read(choice["delta"])
            if choice["finish_reason"] is not None:
                before += self._owed(chunk, choice)
                edited |= self._ended(choice)
        if not before and not edited:
            return (chunk,)
        return (*before, {**chunk})

    def end(self) -> Iterable[Document]:
        """Nothing more."""
        return ()

    def _of(self, choice: Document) -> Calls:
        index = choice["index"]
        if index not in self._calls:
            self._calls[index] = Calls(f"{self._fresh}{index or ''}", self._noted)
        return self._calls[index]

    def _owed(self, chunk: Document, choice: Document) -> list[Document]:
        calls = self._calls.get(choice["index"])
        owed = calls.end() if calls else []
        if not owed:
            return []
        more = {"index": choice["index"], "delta": {"tool_calls": owed}, "finish_reason": None}
        return [{name: value for name, value in chunk.items() if name != "usage"} | {"choices": [more]}]

    def _ended(self, choice: Document) -> bool:
        """Correct the finish reason of an answer with or without calls; returns whether it was wrong."""
        calls = self._calls.get(choice["index"])
        called = calls is not None and calls.any
        reason = choice["finish_reason"]
        if called and reason in ("stop", "function_call"):
            choice["finish_reason"] = "tool_calls"
            self._noted("tools.stream.finish_reason")
        elif reason == "tool_calls" and not called:
            choice["finish_reason"] = "stop"
            self._noted("chat.stream.finish_called")
        else:
            return False
        return True
