"""Finds schemas that no finite value matches because they require themselves. No I/O.

A schema has a finite value if each of its demands is met by a schema that has one: the least solution of Horn clauses,
found in linear time (Dowling and Gallier, 1984). Keywords that the clauses ignore (patterns, bounds, `not`) can only
make the result more permissive, so no schema with a value is refused. Schemas that are empty for another reason, such
as `false`, are not reported here.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from gonogo_server.schemas.graph import parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gonogo_server.schemas.graph import Graph

    Clause = Sequence[int]
    """Schemas of which at least one must have a value."""


def dead_end(made_of: Graph) -> bool:
    """Whether a value may reach a schema that requires itself without end."""
    clauses = [list(_demands(made_of, number)) for number in range(len(made_of.nodes))]
    have = _least(made_of, clauses)
    empty = _empty(made_of, clauses)
    return any(number not in have and number not in empty for number in _reachable(made_of))


def _reachable(made_of: Graph) -> set[int]:
    found, pending = {0}, [0]
    while pending:
        for number in made_of.within[pending.pop()]:
            if number not in found:
                found.add(number)
                pending.append(number)
    return found


def _least(made_of: Graph, clauses: Sequence[Sequence[Clause]]) -> set[int]:
    """The schemas with a finite value: the least solution of the clauses."""
    left = [len(demands) for demands in clauses]
    waiting: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, demands in enumerate(clauses):
        for index, clause in enumerate(demands):
            for wanted in clause:
                waiting[wanted].append((number, index))
    met: set[tuple[int, int]] = set()
    pending = [
        number for number, demands in enumerate(clauses) if not demands and made_of.nodes[number] is not False
    ]
    have = set(pending)
    while pending:
        for demand in waiting[pending.pop()]:
            if demand in met:
                continue
            met.add(demand)
            left[demand[0]] -= 1
            if not left[demand[0]]:
                have.add(demand[0])
                pending.append(demand[0])
    return have


def _empty(made_of: Graph, clauses: Sequence[Sequence[Clause]]) -> set[int]:
    """The schemas without a value for a reason other than recursion: those that reduce to `false`."""
    waiting: dict[int, list[tuple[int, int]]] = defaultdict(list)
    left: dict[tuple[int, int], int] = {}
    empty = {number for number, node in enumerate(made_of.nodes) if node is False}
    for number, demands in enumerate(clauses):
        for index, clause in enumerate(demands):
            left[number, index] = len(set(clause))
            if not clause:
                empty.add(number)
            for wanted in set(clause):
                waiting[wanted].append((number, index))
    pending = list(empty)
    while pending:
        for demand in waiting[pending.pop()]:
            left[demand] -= 1
            if not left[demand] and demand[0] not in empty:
                empty.add(demand[0])
                pending.append(demand[0])
    return empty


def _demands(made_of: Graph, number: int) -> Iterator[Clause]:
    node = made_of.nodes[number]
    if isinstance(node, bool):
        return
    yield from ([part] for part in _all_of(made_of, node))
    for keyword in ("anyOf", "oneOf"):
        if isinstance(node.get(keyword), list):
            yield _numbers(made_of, node[keyword])
    together = _together(made_of, number)
    types = _types(together)
    if types == {"object"}:
        yield from _properties(made_of, together)
    elif types == {"array"}:
        yield from _items(made_of, together)


def _numbers(made_of: Graph, value: object) -> list[int]:
    return [number for part in parts(value) if (number := made_of.place(part)) is not None]


def _all_of(made_of: Graph, node: Mapping[str, Any]) -> list[int]:
    target = made_of.target(node)
    return [*_numbers(made_of, node.get("allOf")), *(() if target is None else (target,))]


def _together(made_of: Graph, number: int) -> list[Mapping[str, Any]]:
    """The schema and all schemas that apply to the same value."""
    found, pending = {number}, [number]
    members = []
    while pending:
        node = made_of.nodes[pending.pop()]
        if isinstance(node, bool):
            continue
        members.append(node)
        for other in _all_of(made_of, node):
            if other not in found:
                found.add(other)
                pending.append(other)
    return members


def _types(together: Sequence[Mapping[str, Any]]) -> set[str] | None:
    """The types that all of them allow; None if any type is allowed."""
    named = [node["type"] for node in together if isinstance(node.get("type"), (str, list))]
    sets = [
        {one} if isinstance(one, str) else {each for each in one if isinstance(each, str)} for one in named
    ]
    return set.intersection(*sets) if sets else None


def _properties(made_of: Graph, together: Sequence[Mapping[str, Any]]) -> Iterator[Clause]:
    required = {
        name
        for node in together
        if isinstance(names := node.get("required"), list)
        for name in names
        if isinstance(name, str)
    }
    for node in together:
        known = node.get("properties")
        known = known if isinstance(known, dict) else {}
        for name in required & known.keys():
            yield from ([number] for number in _numbers(made_of, known[name]))
        if required - known.keys() and not node.get("patternProperties"):
            yield from ([number] for number in _numbers(made_of, node.get("additionalProperties")))


def _items(made_of: Graph, together: Sequence[Mapping[str, Any]]) -> Iterator[Clause]:
    least = max((node["minItems"] for node in together if isinstance(node.get("minItems"), int)), default=0)
    for node in together:
        items, first = node.get("items"), node.get("prefixItems")
        first = first if isinstance(first, list) else items if isinstance(items, list) else []
        yield from ([number] for number in _numbers(made_of, first[:least]))
        if least > len(first) and not isinstance(items, list):
            yield from ([number] for number in _numbers(made_of, items))
