"""Ends each choice of a stream exactly once, with nothing after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.errors import UpstreamError
from gonogo_server.repair.stages.naming import both, of_stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document, Noted, Requested

RULES: Final = (*both("finish_once", "finish_last"), "chat.stream.finish_empty")
_CONTENT: Final = ("content", "refusal", "tool_calls", "reasoning_content", "reasoning")


class Finish:
    """Holds a chunk that finishes a choice until the next one shows that it was the last.

    Content after a finish reason is moved before it. Raises UpstreamError at the end of a stream with an unfinished
    choice or without any: a missing end is never invented.
    """

    def __init__(self, requested: Requested, noted: Noted) -> None:
        self._requested, self._noted = requested, noted
        self._chat = requested.operation == "chat"
        self._begun: set[int] = set()
        self._finished: set[int] = set()
        self._early: set[int] = set()  # choices with content after a finish reason: their last reason counts
        self._held: Document | None = None

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk, after a held one that proved to be the last of its choice; nothing if the chunk is held."""
        if self._held is None and not self._finished:
            for choice in chunk["choices"]:
                self._begun.add(choice["index"])
                if choice["finish_reason"] is not None:
                    break
            else:
                return (chunk,)
        return self._compared(chunk)

    def end(self) -> Iterable[Document]:
        """The held chunk. Raises UpstreamError if a choice has not finished."""
        yield from self._release()
        if not self._begun:
            raise UpstreamError("The upstream's answer is empty: try again.", code="upstream_empty")
        if self._begun - self._finished:
            raise UpstreamError(
                "The upstream's answer ended before it was finished: try again.", code="upstream_incomplete"
            )

    @property
    def finished(self) -> bool:
        """Whether every choice that began has ended."""
        held = self._held["choices"] if self._held else []
        ending = {choice["index"] for choice in held if choice["finish_reason"] is not None}
        return bool(self._begun) and not self._begun - self._finished - ending

    def give_up(self) -> list[Document]:
        """The content of the held chunk, without an end, because the stream failed after it."""
        held, self._held = self._held, None
        return [] if held is None else self._split(held)[0]

    def _release(self) -> list[Document]:
        held, self._held = self._held, None
        if held is None:
            return []
        self._finished |= {c["index"] for c in held["choices"] if c["finish_reason"] is not None}
        return [held]

    def _compared(self, chunk: Document) -> list[Document]:
        self._begun |= {choice["index"] for choice in chunk["choices"]}
        out, chunk = self._before(chunk)
        chunk = self._once(chunk)
        if not chunk["choices"] and not chunk.get("usage"):
            return out
        if all(choice["finish_reason"] is None for choice in chunk["choices"]):
            return [*out, chunk]
        content, last = self._split(chunk) if self._chat and self._has_content_at_end(chunk) else ([], chunk)
        if content:
            self._noted("chat.stream.finish_empty")
        self._held = last
        return [*out, *content]

    def _before(self, chunk: Document) -> tuple[list[Document], Document]:
        """The released part of the held chunk: the end of a choice that continues moves to this chunk."""
        held = self._held
        if held is None:
            return [], chunk
        ending = {c["index"]: c["finish_reason"] for c in held["choices"] if c["finish_reason"] is not None}
        goes_on = [
            choice
            for choice in chunk["choices"]
            if choice["index"] in ending
            and (
                self._has_content(choice)
                or (choice["finish_reason"] is not None and choice["index"] in self._early)
            )
        ]
        if not goes_on:
            return self._release(), chunk
        self._noted(of_stream(self._requested, "finish_last"))
        self._held = None
        for choice in goes_on:
            choice["finish_reason"] = choice["finish_reason"] or ending[choice["index"]]
        moved = {choice["index"] for choice in goes_on}
        self._early |= moved
        return self._without_end(held, moved), {**chunk}

    def _without_end(self, held: Document, moved: set[int]) -> list[Document]:
        """The held chunk without ends that came too early; the other ends are kept."""
        content, _ = self._split(held)
        kept = [c for c in held["choices"] if c["index"] not in moved and c["finish_reason"] is not None]
        self._finished |= {choice["index"] for choice in kept}
        return [*content, *([{**held, "choices": kept}] if kept else [])]

    def _once(self, chunk: Document) -> Document:
        """The chunk without a second end of a choice."""
        again = [
            choice
            for choice in chunk["choices"]
            if choice["index"] in self._finished and choice["finish_reason"] is not None
        ]
        if not again:
            return chunk
        self._noted(of_stream(self._requested, "finish_once"))
        for choice in again:
            choice["finish_reason"] = None
        return {**chunk, "choices": [c for c in chunk["choices"] if c not in again or self._has_content(c)]}

    def _has_content_at_end(self, chunk: Document) -> bool:
        return any(
            choice["finish_reason"] is not None and choice["delta"].get("content")
            for choice in chunk["choices"]
        )

    def _split(self, chunk: Document) -> tuple[list[Document], Document]:
        """A chunk split in two: its content, if any, and the ends of its choices with its usage."""
        content = [
            {**choice, "finish_reason": None} for choice in chunk["choices"] if self._has_content(choice)
        ]
        last = [self._emptied(c) for c in chunk["choices"] if c["finish_reason"] is not None]
        before = {name: value for name, value in chunk.items() if name != "usage"} | {"choices": content}
        return ([before] if content else []), {**chunk, "choices": last}

    def _emptied(self, choice: Document) -> Document:
        empty: Document = {"delta": {}} if self._chat else {"text": ""}
        if "logprobs" in choice:
            empty["logprobs"] = None
        return {**choice, **empty}

    def _has_content(self, choice: Document) -> bool:
        if not self._chat:
            return bool(choice["text"])
        return any(choice["delta"].get(name) for name in _CONTENT) or "role" in choice["delta"]
