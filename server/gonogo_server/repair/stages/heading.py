"""The constant fields of every chunk: id, object, creation time and model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.repair.fields import is_same
from gonogo_server.repair.seconds import in_seconds
from gonogo_server.repair.stages.naming import both, of_stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gonogo_server.repair.base import Document, Noted, Operation, Requested

RULES: Final = both(
    "id",
    "id_not_empty",
    "same_id",
    "object",
    "created",
    "seconds",
    "same_created",
    "model",
    "same_model",
    "rest",
)
_USUAL: Final = 5
"""The number of fields that every chunk has, including choices."""
TIERS: Final = (None, "auto", "default", "flex", "scale", "priority", "fast")
OBJECTS: Final[Mapping[Operation, str]] = {"chat": "chat.completion.chunk", "completion": "text_completion"}


class Heading:
    """Gives all chunks the values of the first one, or those of the request if the first lacks them."""

    def __init__(self, requested: Requested, noted: Noted) -> None:
        self._requested, self._noted = requested, noted
        self._object = OBJECTS[requested.operation]
        self._id: str | None = None
        self._created: int | None = None
        self._model: str | None = None

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk with the constant fields of the stream."""
        if (
            chunk.get("id") == self._id
            and chunk.get("object") == self._object
            and chunk.get("model") == self._model
            and chunk.get("created") == self._created
            and type(self._created) is type(chunk.get("created"))
            and (len(chunk) == _USUAL or self._is_right_beside(chunk))
        ):
            return (chunk,)
        return (self._compared(self._beside(chunk)),)

    def end(self) -> Iterable[Document]:
        """Nothing more."""
        return ()

    @staticmethod
    def _is_right_beside(chunk: Document) -> bool:
        return (
            type(chunk.get("system_fingerprint", "")) in (str, type(None))
            and type(chunk.get("obfuscation", "")) is str
            and chunk.get("service_tier") in TIERS
        )

    def _beside(self, chunk: Document) -> Document:
        """The chunk with its optional members repaired or removed."""
        if self._is_right_beside(chunk):
            return chunk
        self._noted(of_stream(self._requested, "rest"))
        right = {name: value for name, value in chunk.items() if name not in ("obfuscation", "service_tier")}
        if isinstance(chunk.get("obfuscation"), str):
            right["obfuscation"] = chunk["obfuscation"]
        if chunk.get("service_tier") in TIERS and "service_tier" in chunk:
            right["service_tier"] = chunk["service_tier"]
        if right.get("system_fingerprint") is not None:
            right["system_fingerprint"] = str(right["system_fingerprint"])
        return right

    def _compared(self, chunk: Document) -> Document:
        if self._id is None:
            self._begin(chunk)
        right = {"id": self._id, "object": self._object, "created": self._created, "model": self._model}
        wrong = {name: value for name, value in right.items() if not is_same(chunk.get(name), value)}
        for name in wrong:
            self._noted(of_stream(self._requested, self._broken(name, chunk.get(name))))
        return {**chunk, **wrong} if wrong else chunk

    def _begin(self, chunk: Document) -> None:
        requested = self._requested
        self._id = _name(chunk.get("id")) or requested.fresh_id
        self._model = _name(chunk.get("model")) or requested.model
        self._created = in_seconds(chunk.get("created"), requested.now)

    @staticmethod
    def _broken(name: str, was: object) -> str:
        """The name of the rule that the value broke."""
        if name == "object":
            return name
        if name == "created":
            if type(was) is not int:
                return name
            return "same_created" if in_seconds(was, 0) == was else "seconds"
        if not isinstance(was, str):
            return name
        if not was:
            return "id_not_empty" if name == "id" else "same_model"
        return f"same_{name}"


def _name(value: object) -> str:
    return value if isinstance(value, str) else ""
