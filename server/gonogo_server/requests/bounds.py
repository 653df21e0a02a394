"""Limits on the content of a body, checked before anything is built from it. No I/O.

What is built of JSON takes time by the number of its values, not of its bytes: 8 MiB may be one text or five million
arrays. The parser and the models work in one go, in which no other thread runs; within these bounds that is some
tenths of a second at most.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gonogo_server.errors import BadRequest

TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[][{},:]', re.DOTALL)
"""A text, which may lack its end, or what divides values from each other."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that a body may hold."""

    depth: int = 64
    """Levels of objects and arrays in each other."""
    parts: int = 100_000
    """Objects, arrays, and members of objects, which take ten times as long as what stands in an array."""
    values: int = 500_000
    """Values of any kind."""


def check_bounds(raw: bytes, bounds: Bounds) -> None:
    """Raise `BadRequest` if a body holds more than `bounds`. What is not JSON passes, or is refused, either way."""
    containers = raw.count(b"{") + raw.count(b"[")
    # Nothing that stands in texts makes these fewer than they are, so that most bodies need no closer look.
    if containers + raw.count(b":") > bounds.parts or containers + raw.count(b",") > bounds.values:
        _count(raw, bounds)


def too_deep(limit: int) -> BadRequest:
    """The refusal of a body that is nested deeper."""
    return BadRequest(
        f"The body is nested more than {limit} levels deep: reduce the nesting.", code="json_too_deep"
    )


def _count(raw: bytes, bounds: Bounds) -> None:
    depth = parts = values = 0
    for token in TOKEN.finditer(raw):
        match token[0]:
            case b",":
                values += 1  # each but the first of its container stands behind one
            case b":":
                parts += 1
            case b"{" | b"[":
                depth, parts, values = depth + 1, parts + 1, values + 1
            case b"}" | b"]":
                depth -= 1
            case _:
                continue
        if depth > bounds.depth:
            raise too_deep(bounds.depth)
        if parts > bounds.parts:
            raise _too_many(f"{bounds.parts} objects, arrays and members of objects")
        if values > bounds.values:
            raise _too_many(f"{bounds.values} values")


def _too_many(limit: str) -> BadRequest:
    return BadRequest(f"The body has more than {limit}: send less at a time.", code="json_too_large")
