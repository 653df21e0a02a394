"""Limits on the size of a schema, checked before a grammar is made. No I/O.

The grammar library recurses and multiplies: a few hundred references in a row have crashed the process, and it gives up
on some patterns and multiples only after much work. A worker process isolates what passes these limits (see
`compilation`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gonogo_server.schemas.graph import Graph


@dataclass(frozen=True, slots=True)
class SchemaLimits:
    """Limits for the schemas of a request, and the whitespace of its answer; each has a setting."""

    total_bytes: int = 256 * 1024
    """Size of all schemas of a request, as JSON."""
    depth: int = 100
    """Nested schemas, with references resolved."""
    nodes: int = 5000
    """Subschemas of a schema."""
    enum: int = 2000
    """Values of an `enum`."""
    pattern: int = 1000
    """Characters of a pattern."""
    seconds: float = 5.0
    """Time to compile the grammars of a request."""
    whitespace: Literal["fixed", "free"] = "fixed"
    """Whitespace in JSON: one space after each comma and colon and none elsewhere, or the model's choice."""


USUAL = SchemaLimits()


def size(schema: Mapping[str, Any]) -> int:
    """The size of the schema as JSON, in bytes."""
    return len(json.dumps(schema, ensure_ascii=False, separators=(",", ":")).encode())


def excess(made_of: Graph, limits: SchemaLimits) -> str | None:
    """The first limit that a schema exceeds, as text; None if it exceeds none."""
    if len(made_of.nodes) > limits.nodes:
        return f"it has {len(made_of.nodes)} subschemas, but the limit is {limits.nodes}"
    if (depth := made_of.depth()) > limits.depth:
        return f"it is {depth} levels deep with references resolved, but the limit is {limits.depth}"
    for values in _values(made_of, "enum", list):
        if len(values) > limits.enum:
            return f"an 'enum' in it has {len(values)} values, but the limit is {limits.enum}"
    for pattern in _patterns(made_of):
        if len(pattern) > limits.pattern:
            return f"a pattern in it has {len(pattern)} characters, but the limit is {limits.pattern}"
    return None


def _values(made_of: Graph, keyword: str, kind: type) -> Iterator[Any]:
    for node in made_of.nodes:
        if isinstance(node, dict) and isinstance(value := node.get(keyword), kind):
            yield value


def _patterns(made_of: Graph) -> Iterator[str]:
    yield from _values(made_of, "pattern", str)
    for named in _values(made_of, "patternProperties", dict):
        yield from named
