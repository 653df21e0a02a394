"""Numbers that a grammar would change: the grammar library stores every number as a double. No I/O.

From 2^53 on, doubles cannot represent every integer: a const of 9007199254740993 becomes 9007199254740992, and an
answer that follows the grammar then violates the schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonogo_server.schemas.graph import Graph

VALUES: Final = ("const", "enum")
BOUNDS: Final = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
WRITTEN: Final = 2**63
"""From this number on, the library does not write all digits of its double."""


def changed(made_of: Graph) -> int | None:
    """The first integer that a grammar would change; None if there is none."""
    for node in made_of.nodes:
        if isinstance(node, bool):
            continue
        for keyword in VALUES:
            for number in _integers(node.get(keyword)):
                if abs(number) >= WRITTEN or _double(number) != number:
                    return number
        for keyword in BOUNDS:
            bound = node.get(keyword)
            if isinstance(bound, int) and _double(bound) != bound:
                return bound
    return None


def _integers(value: object) -> Iterator[int]:
    """The integers in a value, at any depth."""
    pending = [value]
    while pending:
        match pending.pop():
            case bool():
                continue
            case int() as number:
                yield number
            case list() as items:
                pending.extend(items)
            case dict() as members:
                pending.extend(members.values())


def _double(number: int) -> float | None:
    try:
        return float(number)
    except OverflowError:
        return None
