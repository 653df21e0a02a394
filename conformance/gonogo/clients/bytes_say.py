"""The content of an answer, parsed as leniently as possible and without any client."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gonogo import sse

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Told:
    """The text, the calls as [id, name, arguments], the last finish reason and the last usage.

    `tokens` is the total of the usage, `usage` its prompt tokens and completion tokens; `refusal` is the text in the
    fields of that name.
    """

    text: str = ""
    calls: list[list[Any]] = field(default_factory=list)
    finish: str | None = None
    tokens: int | None = None
    usage: tuple[Any, Any] | None = None
    refusal: str = ""
    _by_index: dict[int, int] = field(default_factory=dict)

    def count(self, usage: object) -> None:
        """Keep the counts of a usage object; anything else is ignored."""
        if isinstance(usage, dict) and usage:
            self.tokens = usage.get("total_tokens", self.tokens)
            self.usage = (usage.get("prompt_tokens"), usage.get("completion_tokens"))

    def add(self, choice: dict[str, Any]) -> None:
        """Add the content of a complete choice or a delta."""
        self.finish = choice.get("finish_reason") or self.finish
        said = choice.get("delta") or choice.get("message") or {}
        self.text += _text(said.get("content") or choice.get("text") or "")
        self.refusal += said.get("refusal") or ""
        for fragment in said.get("tool_calls") or []:
            self._add_fragment(fragment, fragment.get("index"))

    def _add_fragment(self, fragment: dict[str, Any], index: int | None) -> None:
        """Append a fragment to the last call with its index; without an index, or with another id, it begins a call."""
        function = fragment.get("function") or {}
        last = len(self.calls) - (0 if fragment.get("id") else 1)
        known = last if index is None else self._by_index.get(index, len(self.calls))
        if not 0 <= known < len(self.calls) or _is_another(fragment, self.calls[known]):
            if index is not None:
                self._by_index[index] = len(self.calls)
            self.calls.append([fragment.get("id"), function.get("name"), function.get("arguments") or ""])
            return
        call = self.calls[known]
        call[0], call[1] = call[0] or fragment.get("id"), call[1] or function.get("name")
        call[2] += function.get("arguments") or ""


def _text(content: Any) -> str:  # noqa: ANN401 - JSON
    """The text of a content string or list of parts. Raises TypeError for anything else."""
    return "".join(part["text"] for part in content) if isinstance(content, list) else content


def _is_another(fragment: dict[str, Any], call: list[Any]) -> bool:
    """Whether a fragment begins a new call although an earlier call has its index."""
    own = fragment.get("id")
    return bool(own and call[0] and own != call[0] and (fragment.get("function") or {}).get("name"))


def bytes_say(body: bytes) -> Told:
    """The content of all JSON objects with choices, added up; unreadable parts are omitted."""
    told = Told()
    for value in values(body):
        with suppress(AttributeError, TypeError, KeyError):
            told.count(value.get("usage"))
        for choice in _choices(value):
            with suppress(AttributeError, TypeError, KeyError):
                told.add(choice)
    return told


def choices_say(body: bytes) -> dict[int, Told]:
    """The same for each choice: by its index in a stream, by its position in a complete answer."""
    found = list(values(body))
    whole = len(found) == 1 and not body.lstrip().startswith(b"data:")
    told: dict[int, Told] = {}
    for value in found:
        for place, choice in enumerate(_choices(value)):
            with suppress(AttributeError, TypeError, KeyError):
                told.setdefault(place if whole else choice["index"], Told()).add(choice)
    return told


def values(body: bytes) -> Iterator[dict[str, Any]]:
    """The JSON objects of a body: the body itself, or its lines."""
    whole = body.decode("utf-8", "replace")
    lines = _on_one_line(body).decode("utf-8", "replace").replace("\r", "\n").split("\n")
    for candidate in (whole, *(line.removeprefix("\ufeff").removeprefix("data:") for line in lines)):
        with suppress(ValueError):
            value = json.loads(candidate)
            if isinstance(value, dict):
                yield value
                if candidate is whole:
                    return


def _on_one_line(body: bytes) -> bytes:
    """The body with multi-line event data joined on one line."""
    for event in reversed(sse.parse(body).events):
        if event.data_lines > 1:
            data = event.data.replace("\n", " ").encode("utf-8", "surrogatepass")
            body = body[: event.offset] + b"data: " + data + b"\n\n" + body[event.end :]
    return body


def _choices(value: dict[str, Any]) -> list[Any]:
    found = value.get("choices")
    if isinstance(found, dict):
        return list(found.values())
    return found if isinstance(found, list) else []
