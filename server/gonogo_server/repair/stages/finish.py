"""Ends each choice of a stream exactly once, with nothing after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.errors import UpstreamError
from gonogo_server.repair.stages.naming import both, of_stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Asked, Document, Noted

RULES: Final = (*both("finish_once", "finish_last"), "chat.stream.finish_empty")
_SAID: Final = ("content", "refusal", "tool_calls", "reasoning_content", "reasoning")


class Finish:
    """Holds a chunk that finishes a choice until the next one shows that it was the last.

    What follows a finish reason is put before it. UpstreamError at the end of a stream of which a choice, or all of
    it, has no end: that is never made up.
    """

    def __init__(self, asked: Asked, noted: Noted) -> None:
        self._asked, self._noted = asked, noted
        self._chat = asked.operation == "chat"
        self._begun: set[int] = set()
        self._finished: set[int] = set()
        self._early: set[int] = set()  # choices that gave a reason before their end: the last one counts
        self._held: Document | None = None

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk, behind one that was held and proved to be the last of its choice; nothing if it is held."""
        if self._held is None and not self._finished:
            for choice in chunk["choices"]:
                self._begun.add(choice["index"])
                if choice["finish_reason"] is not None:
                    break
            else:
                return (chunk,)
        return self._compared(chunk)

    def end(self) -> Iterable[Document]:
        """The chunk that was held. UpstreamError if a choice has not finished."""
        yield from self._release()
        if not self._begun:
            raise UpstreamError("The upstream's answer is empty: try again.", code="upstream_empty")
        if self._begun - self._finished:
            raise UpstreamError(
                "The upstream's answer ended before it was finished: try again.", code="upstream_incomplete"
            )

    @property
    def finished(self) -> bool:
        """Whether every choice that began has its end."""
        held = self._held["choices"] if self._held else []
        ending = {choice["index"] for choice in held if choice["finish_reason"] is not None}
        return bool(self._begun) and not self._begun - self._finished - ending

    def give_up(self) -> list[Document]:
        """What the chunk that was held says, without an end: more went wrong behind it."""
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
        said, last = self._split(chunk) if self._chat and self._says_more(chunk) else ([], chunk)
        if said:
            self._noted("chat.stream.finish_empty")
        self._held = last
        return [*out, *said]

    def _before(self, chunk: Document) -> tuple[list[Document], Document]:
        """What was held, as far as this chunk lets it go: the end of a choice that continues moves to the chunk."""
        held = self._held
        if held is None:
            return [], chunk
        ending = {c["index"]: c["finish_reason"] for c in held["choices"] if c["finish_reason"] is not None}
        goes_on = [
            choice
            for choice in chunk["choices"]
            if choice["index"] in ending
            and (
                self._says(choice) or (choice["finish_reason"] is not None and choice["index"] in self._early)
            )
        ]
        if not goes_on:
            return self._release(), chunk
        self._noted(of_stream(self._asked, "finish_last"))
        self._held = None
        for choice in goes_on:
            choice["finish_reason"] = choice["finish_reason"] or ending[choice["index"]]
        moved = {choice["index"] for choice in goes_on}
        self._early |= moved
        return self._without_end(held, moved), {**chunk}

    def _without_end(self, held: Document, moved: set[int]) -> list[Document]:
        """The chunk that was held, without the ends that came too early; the others are the last of their choices."""
        said, _ = self._split(held)
        kept = [c for c in held["choices"] if c["index"] not in moved and c["finish_reason"] is not None]
        self._finished |= {choice["index"] for choice in kept}
        return [*said, *([{**held, "choices": kept}] if kept else [])]

    def _once(self, chunk: Document) -> Document:
        """The chunk without another end of a choice that has one."""
        again = [
            choice
            for choice in chunk["choices"]
            if choice["index"] in self._finished and choice["finish_reason"] is not None
        ]
        if not again:
            return chunk
        self._noted(of_stream(self._asked, "finish_once"))
        for choice in again:
            choice["finish_reason"] = None
        return {**chunk, "choices": [c for c in chunk["choices"] if c not in again or self._says(c)]}

    def _says_more(self, chunk: Document) -> bool:
        return any(
            choice["finish_reason"] is not None and choice["delta"].get("content")
            for choice in chunk["choices"]
        )

    def _split(self, chunk: Document) -> tuple[list[Document], Document]:
        """A chunk as two: what it says, where it says something, and the ends of its choices with its usage."""
        said = [{**choice, "finish_reason": None} for choice in chunk["choices"] if self._says(choice)]
        last = [self._emptied(c) for c in chunk["choices"] if c["finish_reason"] is not None]
        before = {name: value for name, value in chunk.items() if name != "usage"} | {"choices": said}
        return ([before] if said else []), {**chunk, "choices": last}

    def _emptied(self, choice: Document) -> Document:
        empty: Document = {"delta": {}} if self._chat else {"text": ""}
        if "logprobs" in choice:
            empty["logprobs"] = None
        return {**choice, **empty}

    def _says(self, choice: Document) -> bool:
        if not self._chat:
            return bool(choice["text"])
        return any(choice["delta"].get(name) for name in _SAID) or "role" in choice["delta"]
