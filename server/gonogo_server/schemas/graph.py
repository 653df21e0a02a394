"""The graph of subschemas, with references resolved. No I/O.

A reference is followed if it is a JSON pointer into the same document (RFC 6901, as a URI fragment). Other references
are ignored here; the grammar library reports them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Schema = Mapping[str, Any] | bool

MAPS: Final = ("properties", "patternProperties", "dependentSchemas")
DEFINITIONS: Final = ("$defs", "definitions")
NESTED: Final = ("items", "additionalProperties", "prefixItems", "anyOf", "allOf", "oneOf")


@dataclass(frozen=True, slots=True)
class Graph:
    """`nodes` are the schemas, the root first; `within` lists for each the schemas that its value may have to match."""

    nodes: Sequence[Schema]
    within: Sequence[Sequence[int]]
    _places: Mapping[int, int]
    _root: Schema

    def place(self, schema: object) -> int | None:
        """The number of a node; None if `schema` is not a node."""
        return self._places.get(id(schema))

    def target(self, node: Schema) -> int | None:
        """The node that a node's `$ref` points to; None without `$ref`, or if it leads out of the document."""
        return self.place(_target(self._root, node))

    def depth(self) -> int:
        """The length of the longest chain of nested schemas; a chain ends before a schema that it already contains."""
        done: dict[int, int] = {}
        path = {0}
        stack = [(0, iter(self.within[0]))]
        while stack:
            node, left = stack[-1]
            child = next((child for child in left if child not in done and child not in path), None)
            if child is None:
                stack.pop()
                path.discard(node)
                done[node] = 1 + max((done[child] for child in self.within[node] if child in done), default=0)
            else:
                path.add(child)
                stack.append((child, iter(self.within[child])))
        return done[0]


def graph(root: Mapping[str, Any]) -> Graph:
    """The graph of a schema."""
    nodes: list[Schema] = [root]
    places = {id(root): 0}
    within: list[list[int]] = []
    for node in nodes:  # the list grows meanwhile
        reached = list(_reached(root, node))
        for schema in (*reached, *_defined(node)):
            if id(schema) not in places:
                places[id(schema)] = len(nodes)
                nodes.append(schema)
        within.append([places[id(schema)] for schema in reached])
    return Graph(nodes, within, places, root)


def parts(value: object) -> Iterator[Schema]:
    """The schemas in the value of a keyword: the value itself, or the items of a list."""
    if isinstance(value, (dict, bool)):
        yield value
    elif isinstance(value, list):
        yield from (part for part in value if isinstance(part, (dict, bool)))


def _reached(root: Schema, node: Schema) -> Iterator[Schema]:
    if isinstance(node, bool):
        return
    for name in NESTED:
        yield from parts(node.get(name))
    for name in MAPS:
        if isinstance(children := node.get(name), dict):
            yield from parts(list(children.values()))
    yield from parts(_target(root, node))


def _defined(node: Schema) -> Iterator[Schema]:
    if isinstance(node, bool):
        return
    for name in DEFINITIONS:
        if isinstance(children := node.get(name), dict):
            yield from parts(list(children.values()))


def _target(root: Schema, node: Schema) -> object:
    reference = None if isinstance(node, bool) else node.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    found: Any = root
    for step in unquote(reference[1:]).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        match found:
            case dict():
                found = found.get(name)
            case list() if name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            case _:
                return None
    # An anchor is not a JSON pointer.
    return found if reference == "#" or reference.startswith("#/") else None
