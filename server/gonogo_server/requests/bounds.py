"""Limits on the content of a body, checked before anything is built from it. No I/O.

The time to build objects from JSON depends on the number of values, not of bytes: 8 MiB may be one string or five
million arrays. The parser and the models run without releasing the GIL, so no other thread runs meanwhile; within these
bounds that takes some tenths of a second at most.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gonogo_server.errors import BadRequest

TOKEN: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[][{},:]', re.DOTALL)
"""A string, possibly without its end, or a structural character of JSON."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of a body."""

    depth: int = 64
    """Levels of nested objects and arrays."""
    parts: int = 100_000
    """Objects, arrays, and members of objects, which take ten times as long as items of an array."""
    values: int = 500_000
    """Values of any kind."""


def check_bounds(raw: bytes, bounds: Bounds) -> None:
    """Raise `BadRequest` if a body exceeds `bounds`. Text that is not JSON may pass or be refused."""
    containers = raw.count(b"{") + raw.count(b"[")
    # Characters inside strings can only make these counts too large, so most bodies need no exact count.
    if containers + raw.count(b":") > bounds.parts or containers + raw.count(b",") > bounds.values:
        _count(raw, bounds)


def too_deep(limit: int) -> BadRequest:
    """The refusal of a body that is nested deeper than `limit`."""
    return BadRequest(
        f"The body is nested more than {limit} levels deep: reduce the nesting.", code="json_too_deep"
    )


def _count(raw: bytes, bounds: Bounds) -> None:
    depth = parts = values = 0
    for token in TOKEN.finditer(raw):
        match token[0]:
            case b",":
                values += 1  # each value except the first of its container follows a comma
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
