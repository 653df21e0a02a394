"""The text of a choice and its log probabilities, in chunks and whole answers of chats and completions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.repair.base import Document, Operation

Part = Literal["delta", "message"]
COLUMNS: Final = ("tokens", "token_logprobs", "top_logprobs", "text_offset")
"""The arrays of a completion's log probabilities."""


@dataclass(frozen=True, slots=True)
class Place:
    """The location of the text in an operation's choices."""

    operation: Operation
    part: Part
    """For chats, the member that holds the content."""

    def text(self, choice: Document) -> str:
        """The text of a choice; may be empty."""
        holder = choice.get(self.part) if self.operation == "chat" else choice
        text = holder.get(self._name) if isinstance(holder, dict) else None
        return text if isinstance(text, str) else ""

    def with_text(self, choice: Document, text: str) -> Document:
        """The choice with another text."""
        if self.operation != "chat":
            return {**choice, "text": text}
        return {**choice, self.part: {**(choice.get(self.part) or {}), "content": text}}

    def bare(self, choice: Document) -> bool:
        """Whether a choice of a chunk has nothing but its text."""
        if self.operation != "chat":
            return True
        return not any(value for name, value in (choice.get(self.part) or {}).items() if name != "content")

    def ending(self, choice: Document, reason: str) -> Document:
        """The last choice of a stream: no text, and the finish reason."""
        last: Document = {"index": choice.get("index", 0)}
        if self.operation == "chat":
            last["delta"] = {}
        else:
            last["text"] = ""
        if "logprobs" in choice:
            last["logprobs"] = None
        return {**last, "finish_reason": reason}

    def rows(self, choice: Document) -> list[Any]:
        """The log probabilities of a choice, a row for each token."""
        held = choice.get("logprobs")
        if not isinstance(held, dict):
            return []
        if self.operation == "chat":
            return list(held.get("content") or ())
        columns = [held.get(name) or [None] * len(held.get("tokens") or ()) for name in COLUMNS]
        return list(zip(*columns, strict=False))

    def with_rows(self, choice: Document, rows: Sequence[Any]) -> Document:
        """The choice with these log probabilities; unchanged if it had none and gets none."""
        held = choice.get("logprobs")
        if not rows and not isinstance(held, dict):
            return choice
        known = held if isinstance(held, dict) else {}
        if self.operation == "chat":
            content: Document = {"refusal": None, **known, "content": list(rows)}
            return {**choice, "logprobs": content if rows else None}
        columns: Document = {name: [row[at] for row in rows] for at, name in enumerate(COLUMNS)}
        if rows and all(value is None for value in columns["top_logprobs"]):
            columns["top_logprobs"] = None  # as the upstream sent it
        return {**choice, "logprobs": {**known, **columns} if rows else None}

    def size(self, row: Any) -> int:  # noqa: ANN401 - JSON
        """The size of a token's text in bytes."""
        if self.operation != "chat":
            return len(str(row[0]).encode("utf-8", "surrogatepass"))
        held = row.get("bytes")
        return (
            len(held)
            if isinstance(held, list)
            else len(str(row.get("token")).encode("utf-8", "surrogatepass"))
        )

    @property
    def _name(self) -> str:
        return "content" if self.operation == "chat" else "text"
