"""Checks of a schema before the grammar library sees it: sizes, and endless recursion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from gonogo_server.schemas.finite import dead_end
from gonogo_server.schemas.graph import graph
from gonogo_server.schemas.limits import USUAL, excess
from gonogo_server.schemas.reasons import TOO_MUCH, explained

Schema = dict[str, Any]


def of_object(**properties: object) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def chain(length: int, **leaf: object) -> Schema:
    """Definitions that refer to each other in a row."""
    links = {f"d{i}": of_object(a={"$ref": f"#/$defs/d{i + 1}"}) for i in range(length)}
    return {"$ref": "#/$defs/d0", "$defs": {**links, f"d{length}": {"type": "string"} | leaf}}


@pytest.mark.parametrize(
    ("schema", "depth", "nodes"),
    [
        ({}, 1, 1),
        ({"type": "array", "items": {"items": {}}}, 3, 3),
        ({"properties": {"a": True, "b": {"anyOf": [{}, {"not": {}}]}}}, 3, 5),
        ({"$defs": {"a": {"items": {}}}}, 1, 3),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"items": {}}}}, 3, 3),
        ({"properties": {"a": {"$ref": "#"}}}, 2, 2),
        ({"$ref": "#/%24defs/a~1b", "$defs": {"a/b": {}}}, 2, 2),
        ({"anyOf": [{"$ref": "#/anyOf/1"}, {"items": {}}]}, 4, 4),
        ({"$ref": "#anchor"}, 1, 1),
        ({"$ref": "#/nowhere/0"}, 1, 1),
        ({"$ref": "http://schemas.example/x"}, 1, 1),
        (chain(3), 8, 8),
        ({"properties": {str(number): {} for number in range(3000)}}, 2, 3001),
    ],
    ids=lambda value: str(value)[:60],
)
def test_depth_and_number_are_those_where_references_are_followed(
    schema: Schema, depth: int, nodes: int
) -> None:
    made_of = graph(schema)
    assert (made_of.depth(), len(made_of.nodes)) == (depth, nodes)


def test_the_longest_way_to_a_schema_counts() -> None:
    shared = {"$defs": {"end": {"items": {}}}}
    schema = {**shared, "anyOf": [{"$ref": "#/$defs/end"}, {"items": {"items": {"$ref": "#/$defs/end"}}}]}
    assert graph(schema).depth() == 6


@pytest.mark.parametrize(
    ("schema", "limits", "said"),
    [
        (chain(3), {"depth": 7}, "8 levels deep"),
        (chain(3), {"nodes": 7}, "8 subschemas"),
        ({"items": {"enum": ["a", "b", "c"]}}, {"enum": 2}, "'enum' in it has 3 values"),
        ({"pattern": "abc"}, {"pattern": 2}, "a pattern in it has 3 characters"),
        ({"patternProperties": {"abc": {}}}, {"pattern": 2}, "a pattern in it has 3 characters"),
    ],
    ids=str,
)
def test_each_limit_is_reported_with_the_available_and_used_amount(
    schema: Schema, limits: dict[str, int], said: str
) -> None:
    (limit,) = limits.values()
    reason = excess(graph(schema), replace(USUAL, **limits))
    assert reason is not None
    assert said in reason
    assert f"the limit is {limit}" in reason
    assert excess(graph(schema), USUAL) is None


LINK = {"$ref": "#/$defs/link"}


def linked(link: Schema, **more: Schema) -> Schema:
    return {**LINK, "$defs": {"link": link, **more}}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        of_object(a={"$ref": "#"}),
        linked(of_object(next=LINK)),
        linked(of_object(next={"$ref": "#/$defs/other"}), other=of_object(next=LINK)),
        linked({"allOf": [{"type": "object"}, {"properties": {"next": LINK}, "required": ["next"]}]}),
        linked({"type": "array", "items": LINK, "minItems": 1}),
        linked({"type": "array", "prefixItems": [{}, LINK], "minItems": 2}),
        linked({"anyOf": [of_object(next=LINK), of_object(last=LINK)]}),
        linked({"type": "object", "required": ["any"], "additionalProperties": LINK}),
        {"type": "object", "properties": {"a": LINK}, "$defs": {"link": of_object(next=LINK)}},
    ],
    ids=str,
)
def test_endless_recursion_in_a_schema_is_found(schema: Schema) -> None:
    assert dead_end(graph(schema))


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object", "properties": {"a": {"$ref": "#"}}},
        linked({"type": ["object", "null"], "properties": {"next": LINK}, "required": ["next"]}),
        linked(of_object(next={"anyOf": [LINK, {"type": "null"}]})),
        linked({"type": "array", "items": LINK}),
        linked({"type": "array", "prefixItems": [{}], "items": LINK, "minItems": 1}),
        linked({"properties": {"next": LINK}, "required": ["next"]}),
        linked(
            {
                "type": "object",
                "required": ["a"],
                "patternProperties": {"^a$": {}},
                "additionalProperties": LINK,
            }
        ),
        {"type": "object", "additionalProperties": False},
        {"type": "object", "properties": {"a": {"anyOf": [False, False]}}},
        {"type": "array", "items": False},
        {"$defs": {"unused": {"$ref": "#/$defs/unused"}}},
        chain(40),
    ],
    ids=lambda schema: str(schema)[:60],
)
def test_finite_recursion_in_a_schema_is_accepted(schema: Schema) -> None:
    assert not dead_end(graph(schema))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ('Unimplemented keys: ["not", "if"]', "'not', 'if' is not supported; remove it"),
        ("regex parse error: (a ^ error: unclosed group", "a pattern in it is not a regular expression"),
        ("fuel exhausted when checking relevance of lexemes (1000000)", TOO_MUCH),
        ("", TOO_MUCH),
    ],
)
def test_errors_of_the_library_are_reworded(error: str, said: str) -> None:
    assert explained(error) == said
