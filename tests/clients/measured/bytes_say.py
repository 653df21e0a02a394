"""What the bytes of an answer say, read as kindly as can be: by hand, as no client does it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Told:
    """The text, the calls as [id, name, arguments], the last finish reason and the last total of tokens."""

    text: str = ""
    calls: list[list[Any]] = field(default_factory=list)
    finish: str | None = None
    tokens: int | None = None


def bytes_say(body: bytes) -> Told:
    """Everything that is JSON with choices in it, added up; what cannot be read is left out."""
    told = Told()
    for value in _values(body.decode("utf-8", "replace")):
        with suppress(AttributeError, TypeError, KeyError):
            told.tokens = (value.get("usage") or {}).get("total_tokens", told.tokens)
        for choice in value.get("choices") or []:
            with suppress(AttributeError, TypeError, KeyError):
                _add(told, choice)
    return told


def _values(text: str) -> Iterator[dict[str, Any]]:
    lines = text.replace("\r", "\n").split("\n")
    for candidate in (text, *(line.removeprefix("\ufeff").removeprefix("data:") for line in lines)):
        with suppress(ValueError):
            value = json.loads(candidate)
            if isinstance(value, dict):
                yield value
                if candidate is text:
                    return


def _add(told: Told, choice: dict[str, Any]) -> None:
    told.finish = choice.get("finish_reason") or told.finish
    said = choice.get("delta") or choice.get("message") or {}
    told.text += said.get("content") or ""
    for fragment in said.get("tool_calls") or []:
        _add_fragment(told, fragment, fragment.get("index"))


def _add_fragment(told: Told, fragment: dict[str, Any], index: int | None) -> None:
    """A fragment goes to the call of its index; without one, one with an id begins a call."""
    function = fragment.get("function") or {}
    known = index if index is not None else (len(told.calls) - (0 if fragment.get("id") else 1))
    if not 0 <= known < len(told.calls):
        told.calls.append([fragment.get("id"), function.get("name"), function.get("arguments") or ""])
        return
    call = told.calls[known]
    call[0], call[1] = call[0] or fragment.get("id"), call[1] or function.get("name")
    call[2] += function.get("arguments") or ""
