"""Roles in a streamed chat, and the content of the first delta; empty fields are removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document, Noted

RULES: Final = tuple(
    f"chat.stream.{name}"
    for name in ("role", "role_first", "role_once", "first_content", "tool_calls", "nulls")
)
_MORE: Final = ("tool_calls", "function_call", "refusal")
_REASONING: Final = ("reasoning_content", "reasoning")


class Roles:
    """Sets the role in the first delta of each choice and in no other.

    A first delta with null content and nothing else waits for the next one of its choice: if that has text, the content
    becomes an empty string; otherwise null was right.
    """

    def __init__(self, noted: Noted) -> None:
        self._noted = noted
        self._begun: set[int] = set()
        self._waiting: dict[int, int] = {}  # by choice, the position of its first chunk among those held
        self._held: list[Document] = []

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk, and those held back before it; nothing while it is held back."""
        edited = False
        for choice in chunk["choices"]:
            delta, index = choice["delta"], choice["index"]
            if index not in self._begun:
                edited |= self._begin(choice)
            elif self._waiting or "role" in delta:
                edited |= self._go_on(choice)
            if "tool_calls" in delta and not delta["tool_calls"]:
                edited |= self._leave_out(delta, "tool_calls")
            if "function_call" in delta and not delta["function_call"]:
                edited |= self._leave_out(delta, "function_call")
        if edited:
            chunk = {**chunk}
        if not self._held and not self._waiting:
            return (chunk,)
        self._held.append(chunk)
        return () if self._waiting else self.end()

    def end(self) -> Iterable[Document]:
        """The chunks still held back: no text came."""
        held, self._held = self._held, []
        self._waiting.clear()
        return held

    def _begin(self, choice: Document) -> bool:
        delta, index = choice["delta"], choice["index"]
        self._begun.add(index)
        edited = self._begin_role(delta)
        if "content" not in delta or delta["content"] is not None:
            return edited
        if any(delta.get(name) for name in _REASONING):
            return self._empty(delta)
        if choice["finish_reason"] is None and all(delta.get(name) is None for name in _MORE):
            self._waiting[index] = len(self._held)
        return edited

    def _begin_role(self, delta: Document) -> bool:
        role = delta.get("role")
        if role == "assistant":
            return False
        self._noted("chat.stream.role" if role else "chat.stream.role_first")
        delta["role"] = "assistant"
        return True

    def _go_on(self, choice: Document) -> bool:
        delta, index = choice["delta"], choice["index"]
        if index in self._waiting:
            self._decide(index, choice)
        if "role" not in delta:
            return False
        role = delta.pop("role")
        names = {None: "nulls", "assistant": "role_once"}
        self._noted(f"chat.stream.{names.get(role, 'role') if isinstance(role, str | None) else 'role'}")
        return True

    def _decide(self, index: int, choice: Document) -> None:
        """Decide whether the waiting delta can be released, now that this choice follows."""
        delta = choice["delta"]
        if delta.get("content") or any(delta.get(name) for name in _REASONING):
            place = self._waiting.pop(index)
            first = next(one for one in self._held[place]["choices"] if one["index"] == index)
            self._empty(first["delta"])
            self._held[place] = {**self._held[place]}
        elif choice["finish_reason"] is not None or any(delta.get(name) for name in _MORE):
            del self._waiting[index]

    def _empty(self, delta: Document) -> bool:
        self._noted("chat.stream.first_content")
        delta["content"] = ""
        return True

    def _leave_out(self, delta: Document, name: str) -> bool:
        value = delta.pop(name)
        self._noted(f"chat.stream.{'nulls' if value is None else 'tool_calls'}")
        return True
