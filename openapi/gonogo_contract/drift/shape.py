"""Normalizes a schema to a list of alternatives with one JSON type each.

References, allOf, anyOf, oneOf, lists of types and `nullable: true` (OpenAPI 3.0, and the official 3.1
document) are resolved, so that equivalent schemas in different notations get the same alternatives. An alternative
is a dict with `type` and the keywords that apply to this type.
"""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
Keywords = dict[str, Any]
Schema = Keywords | bool
Alternative = dict[str, Any]

ANY = ("array", "boolean", "null", "number", "object", "string")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_NUMERIC = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
LIMITS: dict[str, tuple[str, ...]] = {
    "string": ("minLength", "maxLength", "pattern"),
    "integer": _NUMERIC,
    "number": _NUMERIC,
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}
_STRUCTURE = {
    "array": ("items",),
    "object": ("properties", "required", "additionalProperties", "propertyNames"),
}
_TYPE_NAMES = {
    bool: "boolean",
    type(None): "null",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


class UnresolvedReferenceError(Exception):
    """A `$ref` has no target in its document."""


def resolve(value: Any, root: Document) -> Any:  # noqa: ANN401 - any part of a document
    """Return `value`, or its target if it is a reference. Raises UnresolvedReferenceError."""
    while isinstance(value, dict) and "$ref" in value:
        value = _target(value["$ref"], root)
    return value


def _target(reference: str, root: Document) -> Any:  # noqa: ANN401 - any part of a document
    found: Any = root
    for token in reference.removeprefix("#/").split("/"):
        key = token.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or key not in found:
            raise UnresolvedReferenceError(f"The reference {reference!r} leads nowhere in the document.")
        found = found[key]
    return found


def alternatives(schema: Schema, root: Document) -> list[Alternative]:
    """Return the alternatives of `schema`. Raises UnresolvedReferenceError for a reference without a target."""
    if isinstance(schema, bool):
        return [{"type": name} for name in ANY] if schema else []
    found = _own(schema)
    for part in _conjuncts(schema, root):
        found = [both for a in found for b in part if (both := _meet(a, b))]
    if schema.get("nullable") is True:
        found.append({"type": "null"})
    return found


def _conjuncts(schema: Keywords, root: Document) -> list[list[Alternative]]:
    """Return the alternatives of each subschema that must hold in addition to the keywords of `schema`."""
    parts = [alternatives(part, root) for part in schema.get("allOf", ())]
    if "$ref" in schema:
        parts.append(alternatives(_target(schema["$ref"], root), root))
    parts += [
        [found for part in schema[keyword] for found in alternatives(part, root)]
        for keyword in ("anyOf", "oneOf")
        if keyword in schema
    ]
    return parts


def _own(schema: Keywords) -> list[Alternative]:
    """Return the alternatives by the keywords of `schema` alone, without its references and subschemas."""
    return [found for name in _types(schema) if (found := _restrict(schema, name)) is not None]


def _types(schema: Keywords) -> tuple[str, ...]:
    declared = schema.get("type")
    if isinstance(declared, str):
        return (declared,)
    if isinstance(declared, list):
        return tuple(declared)
    if values := _values(schema):
        return tuple(dict.fromkeys(_TYPE_NAMES[type(value)] for value in values))
    # The official document omits `type` in some schemas that are meant as objects.
    return ("object",) if "properties" in schema else ANY


def _values(schema: Keywords) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _restrict(schema: Keywords, name: str) -> Alternative | None:
    """Return the keywords of `schema` that apply to type `name`, or None if no value of its enum has that type."""
    keywords = (*LIMITS.get(name, ()), *_STRUCTURE.get(name, ()))
    found: Alternative = {"type": name, **{key: schema[key] for key in keywords if key in schema}}
    values = _values(schema)
    if values is None:
        return found
    of_this_type = [value for value in values if _has_type(value, name)]
    if not of_this_type:
        return None
    # An enum of nulls, arrays or objects is ignored: no contract so far needs it.
    return found if name == "null" or name in _STRUCTURE else {**found, "enum": frozenset(of_this_type)}


def _has_type(value: object, name: str) -> bool:
    return _TYPE_NAMES[type(value)] == name or (name == "number" and type(value) is int)


def _meet(a: Alternative, b: Alternative) -> Alternative | None:
    """Return the intersection of two alternatives, or None if their types differ."""
    types = {a["type"], b["type"]}
    if len(types) == 2 and types != {"integer", "number"}:
        return None
    found = {**a, **b, "type": "integer" if len(types) == 2 else a["type"]}
    for key in a.keys() & b.keys() - {"type"}:
        found[key] = _both(key, a[key], b[key])
    return found


def _both(key: str, a: Any, b: Any) -> Any:  # noqa: ANN401 - the value of any keyword
    """Return the value of a keyword that is equivalent to both values together."""
    if key in LOWER:
        return max(a, b)
    if key in UPPER:
        return min(a, b)
    if key == "enum":
        return a & b
    if key == "required":
        return [*a, *b]
    if key == "properties":
        return {**a, **b, **{name: {"allOf": [a[name], b[name]]} for name in a.keys() & b.keys()}}
    return a if a == b else {"allOf": [a, b]}
