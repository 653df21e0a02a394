"""The smallest JSON value that matches a JSON Schema, for the keywords that the ideal target supports."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
from ideal.refusal import Refusal

LITERAL = re.compile(r"\^([^\\.^$*+?()\[\]{}|]+)\$")
"""A pattern that matches a single text."""


def instance(schema: Any, param: str) -> Any:  # noqa: ANN401 - JSON
    """A value that matches the schema. Raises Refusal if none was found, so that no schema is ignored."""
    try:
        validator = jsonschema_rs.validator_for(schema)
        value = _smallest(schema, schema)
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise Refusal(
            f"The schema is not understood: {error}.", param=param, code="invalid_schema"
        ) from error
    if not validator.is_valid(value):
        raise Refusal("The schema asks for more than is understood.", param=param, code="invalid_schema")
    return value


def _smallest(schema: Any, root: Any) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(schema, dict):
        return None
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "$ref" in schema:
        return _smallest(_referred(schema["$ref"], root), root)
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return _smallest({key: v for key, v in schema.items() if key != union} | schema[union][0], root)
    kind = schema.get("type", "object" if "properties" in schema else "null")
    return _of_kind(kind[0] if isinstance(kind, list) else kind, schema, root)


def _of_kind(kind: str, schema: dict[str, Any], root: Any) -> Any:  # noqa: ANN401 - JSON
    match kind:
        case "object":
            properties = schema.get("properties", {})
            return {name: _smallest(properties.get(name, {}), root) for name in schema.get("required", ())}
        case "array":
            return [_smallest(schema.get("items", {}), root) for _ in range(schema.get("minItems", 0))]
        case "string":
            literal = LITERAL.fullmatch(schema.get("pattern", ""))
            return literal[1] if literal else "ë" * schema.get("minLength", 0)
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return False
        case _:
            return None


def _number(schema: dict[str, Any]) -> int | float:
    step = schema.get("multipleOf", 1)
    least = schema.get("minimum", schema.get("exclusiveMinimum", min(0, schema.get("maximum", 0))))
    value: int | float = -(-least // step) * step
    return value + step if value == schema.get("exclusiveMinimum") else value


def _referred(reference: str, root: Any) -> Any:  # noqa: ANN401 - JSON
    found = root
    for step in reference.removeprefix("#").split("/")[1:]:
        found = found[step]
    return found
