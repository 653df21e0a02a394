"""The text of a choice in a chunk: the content of a delta, or the text of a completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gonogo_server.repair.base import Document


def text_of(choice: Document, *, chat: bool) -> str:
    """The text; may be empty."""
    return (choice["delta"].get("content") if chat else choice["text"]) or ""


def put_text(choice: Document, text: str, *, chat: bool) -> None:
    """Set the text, in place."""
    if chat:
        choice["delta"]["content"] = text
    else:
        choice["text"] = text
