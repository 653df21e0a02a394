"""Differences between two texts, and the position of a value in JSON text: the parts that a page marks."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ALIKE = 0.4
"""Texts with less similarity than this are marked as a whole; marks on single words would be confusing."""

_WORD = re.compile(r"\w+|\s+|.", re.DOTALL)
_IN_PLACE = re.compile(r"^(?P<head>.*?: )(?P<wrong>.+)(?P<between> in place of )(?P<right>.+)$", re.DOTALL)
_POINTER = re.compile(r"^(?P<pointer>(?:/[^\s/:]+)+): (?P<problem>.*)$", re.DOTALL)
_MISSING = re.compile(r'^"(?P<name>[^"]+)" is missing')
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text and its mark: "wrong", "right", "cut" for omitted text, or "" for none."""

    text: str
    mark: str = ""


def difference(expected: str, actual: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces; parts of only one text are marked, "right" in the first and "wrong" in the second."""
    match = _IN_PLACE.match(actual)
    if match is not None:
        seen = [Piece(match["head"]), Piece(match["wrong"], "wrong"), Piece(match["between"])]
        return [Piece(expected)], [*seen, Piece(match["right"], "right")]
    one, other = _WORD.findall(expected), _WORD.findall(actual)
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if matcher.ratio() < ALIKE:
        return [Piece(expected, "right")], [Piece(actual, "wrong")]
    codes = matcher.get_opcodes()
    right = [Piece("".join(one[a:b]), "" if same == "equal" else "right") for same, a, b, _, _ in codes]
    wrong = [Piece("".join(other[a:b]), "" if same == "equal" else "wrong") for same, _, _, a, b in codes]
    return _filled(right), _filled(wrong)


def _filled(pieces: Iterable[Piece]) -> list[Piece]:
    return [piece for piece in pieces if piece.text]


def pointed_at(actual: str | None) -> list[str] | None:
    """The steps of the JSON pointer at the beginning of `actual`; None if there is none.

    For a missing member, they lead to the object that lacks it.
    """
    match = _POINTER.match(actual or "")
    if match is None:
        return None
    steps = [step.replace("~1", "/").replace("~0", "~") for step in match["pointer"].split("/")[1:]]
    missing = _MISSING.match(match["problem"])
    return steps[:-1] if missing is not None and steps[-1] == missing["name"] else steps


def span_of(text: str, steps: Sequence[str]) -> tuple[int, int] | None:
    """The start and end of the value that these steps lead to, including its name in an object; None if not found.

    The text begins with a JSON value. Of repeated members the first counts.
    """
    try:
        return _span(text, _skip(text, 0), steps)
    except (ValueError, IndexError, StopIteration, RecursionError):
        return None


def _span(text: str, at: int, steps: Sequence[str]) -> tuple[int, int] | None:
    """The span of the value that the steps lead to, starting from the value at `at`."""
    start = at
    for step in steps:
        found = _member(text, at, step)
        if found is None:
            return None
        start, at = found
    return start, _end(text, at)


def _end(text: str, at: int) -> int:
    _, end = json.JSONDecoder().raw_decode(text, at)
    return end


def _member(text: str, at: int, step: str) -> tuple[int, int] | None:
    """The start of a member, including its name, and the start of its value."""
    is_object = text[at] == "{"
    if not is_object and text[at] != "[":
        return None
    number, at = 0, _skip(text, at + 1)
    while text[at] not in "}]":
        start, name = at, str(number)
        if is_object:
            name, at = json.JSONDecoder().raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)  # after the colon
        if name == step:
            return start, at
        at = _skip(text, _end(text, at))
        at = _skip(text, at + 1) if text[at] == "," else at
        number += 1
    return None


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return at if space is None else space.end()
