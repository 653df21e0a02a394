"""Vectors as numbers or as base64, whichever was asked for.

Source: OpenAI API reference, "The embedding object"; the official clients read base64 as little-endian 32-bit floats.
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from gonogo_server.repair.emulation.base import Unfinished

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document, Noted


class Form(Unfinished):
    """Writes each vector in the form that was asked for; one that cannot be read is left as it is."""

    def __init__(self, rule: str, noted: Noted, *, base64: bool) -> None:
        self._rule, self._noted, self._base64 = rule, noted, base64

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk: embeddings have no streams."""
        return (chunk,)

    def body(self, body: Document) -> Document:
        """The answer with its vectors in the form that was asked for."""
        data = body.get("data")
        if not isinstance(data, list):
            return body
        edited = [self._entry(entry) for entry in data]
        if all(one is other for one, other in zip(edited, data, strict=True)):
            return body
        self._noted(self._rule)
        return {**body, "data": edited}

    def _entry(self, entry: Any) -> Any:  # noqa: ANN401 - JSON
        vector = entry.get("embedding") if isinstance(entry, dict) else None
        try:
            if self._base64 and isinstance(vector, list):
                return {**entry, "embedding": as_base64(vector)}
            if not self._base64 and isinstance(vector, str):
                return {**entry, "embedding": as_numbers(vector)}
        except (ValueError, OverflowError, struct.error):
            pass
        return entry


def as_base64(vector: list[float]) -> str:
    """The vector as little-endian 32-bit floats. Raises `struct.error`, or `OverflowError` for a number beyond them."""
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def as_numbers(text: str) -> list[float]:
    """The numbers that base64 holds. Raises `ValueError` or `struct.error` where it holds none."""
    data = b64decode(text, validate=True)
    return list(struct.unpack(f"<{len(data) // 4}f", data))
