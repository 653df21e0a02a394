"""The choices of a chunk: a list of objects with an index, a delta or a text, and a finish reason, possibly null."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gonogo_server.errors import UpstreamError
from gonogo_server.repair.stages.naming import STREAM, both, of_stream

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo_server.repair.base import Document, Noted, Requested

RULES: Final = (
    *both("choices", "has_choices", "index", "delta", "finish_reason"),
    "completions.stream.text",
    "choices.chat.streamed",
    "choices.completions.streamed",
)
_TEXTS: Final = (str, type(None))


class Choices:
    """Brings every chunk into the form that later stages rely on, and drops chunks without content.

    Raises UpstreamError if a choice's number or text cannot be determined.
    """

    def __init__(self, requested: Requested, noted: Noted) -> None:
        self._requested, self._noted = requested, noted
        self._chat = requested.operation == "chat"
        self._used: set[int] = set()
        # The number that replaces an index beyond the requested choices.
        self._numbers: dict[int, int] = {}

    def chunk(self, chunk: Document) -> Iterable[Document]:
        """The chunk; nothing if it has neither choices nor usage."""
        choices = chunk.get("choices")
        if type(choices) is not list or not choices:
            return self._without(chunk, choices)
        for choice in choices:
            if not (self._is_chat(choice) if self._chat else self._is_text(choice)):
                chosen = [self._mended(choice, place, len(choices)) for place, choice in enumerate(choices)]
                return self._numbered({**chunk, "choices": chosen})
            if choice["index"] not in self._used or self._numbers:
                return self._numbered(chunk)
        return (chunk,)

    def end(self) -> Iterable[Document]:
        """Nothing more."""
        return ()

    def _numbered(self, chunk: Document) -> Iterable[Document]:
        """The chunk with indexes below the number of choices: an index beyond it becomes the next free one."""
        edited = False
        for choice in chunk["choices"]:
            index = choice["index"]
            if index in self._numbers.values() and index not in self._numbers:
                raise _unclear("more choices than requested")
            if index >= self._requested.choices:
                choice["index"] = self._number(index)
                edited |= choice["index"] != index
            self._used.add(choice["index"])
        if edited:
            self._noted(f"choices.{'chat' if self._chat else 'completions'}.streamed")
        return ({**chunk} if edited else chunk,)

    def _number(self, index: int) -> int:
        if index not in self._numbers:
            free = (number for number in range(self._requested.choices) if number not in self._used)
            self._numbers[index] = next(free, index)
        return self._numbers[index]

    def _without(self, chunk: Document, choices: object) -> Iterable[Document]:
        if choices is not None and choices != []:
            raise _unclear("choices that are not a list")
        if not chunk.get("usage"):
            self._noted(of_stream(self._requested, "choices" if choices is None else "has_choices"))
            return ()
        if choices == []:
            return (chunk,)
        self._noted(of_stream(self._requested, "choices"))
        return ({**chunk, "choices": []},)

    @staticmethod
    def _is_chat(choice: Any) -> bool:  # noqa: ANN401 - JSON
        return (
            type(choice) is dict
            and type(choice.get("index")) is int
            and type(delta := choice.get("delta")) is dict
            and type(delta.get("content")) in _TEXTS
            and "finish_reason" in choice
        )

    @staticmethod
    def _is_text(choice: Any) -> bool:  # noqa: ANN401 - JSON
        return (
            type(choice) is dict
            and type(choice.get("index")) is int
            and type(choice.get("text")) is str
            and "finish_reason" in choice
        )

    def _mended(self, found: Any, place: int, among: int) -> Document:  # noqa: ANN401 - JSON
        if not isinstance(found, dict):
            raise _unclear("a choice that is not an object")
        choice: Document = {**found}
        if type(choice.get("index")) is not int:
            choice["index"] = self._index(choice.get("index"), place, among)
        if self._chat:
            self._as_chat(choice)
        else:
            self._as_text(choice)
        if "finish_reason" not in choice:
            self._noted(of_stream(self._requested, "finish_reason"))
            choice["finish_reason"] = None
        return choice

    def _index(self, index: object, place: int, among: int) -> int:
        """The index: 0 of one choice, or the position in a chunk that has all choices."""
        self._noted(of_stream(self._requested, "index"))
        if isinstance(index, str) and index.isdecimal() and index.isascii():
            return int(index[:9])
        if among == self._requested.choices:
            return place
        raise _unclear("a choice without an index although several were requested")

    def _as_chat(self, choice: Document) -> None:
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            self._noted(f"{STREAM['chat']}.delta")
            message, text = choice.pop("message", None), choice.pop("text", None)
            delta = _spoken(delta or message or text)
        if type(delta.get("content")) not in _TEXTS:
            self._noted(f"{STREAM['chat']}.delta")
            delta = {**delta, "content": joined(delta["content"])}
        choice["delta"] = delta

    def _as_text(self, choice: Document) -> None:
        if type(choice.get("text")) is str:
            return
        self._noted(f"{STREAM['completion']}.text")
        delta = choice.pop("delta", None) or choice.pop("message", None)
        text = choice.get("text")
        if text is None:
            text = delta.get("content") if isinstance(delta, dict) else delta
        if text is not None and not isinstance(text, str):
            raise _unclear("a text that is not a string")
        choice["text"] = text or ""


def _spoken(found: Any) -> Document:  # noqa: ANN401 - JSON
    """The delta from an object, or from what was sent instead."""
    if isinstance(found, dict):
        return found
    return {} if found is None else {"content": found}


def joined(content: object) -> str:
    """The concatenated text of parts."""
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    if not all(isinstance(text, str) for text in texts):
        raise UpstreamError(
            "The upstream sent content that is not text: try again.", code="upstream_unreadable"
        )
    return "".join(map(str, texts))


def _unclear(what: str) -> UpstreamError:
    return UpstreamError(f"The upstream sent a chunk with {what}: try again.", code="upstream_unreadable")
