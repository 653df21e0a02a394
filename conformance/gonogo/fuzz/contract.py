"""The contract as fuzzing needs it: requests closed to fields that it does not describe.

The contract leaves it to a server whether it refuses unknown fields of a request or ignores them. Generated from the
open schemas, most valid requests would be made of such fields.
"""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any

import gonogo_contract
import jsonschema_rs

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUESTS = {
    "/chat/completions": "CreateChatCompletionRequest",
    "/completions": "CreateCompletionRequest",
    "/embeddings": "CreateEmbeddingRequest",
}
"""The schema of the body that is posted to each path."""


@cache
def closed() -> dict[str, Any]:
    """The contract, with no further fields admitted in the objects of requests. Shared: do not change it."""
    document = copy.deepcopy(gonogo_contract.document())
    schemas = document["components"]["schemas"]
    for name in _reached(schemas, list(REQUESTS.values())):
        schema = schemas[name]
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return document


def _reached(schemas: dict[str, Any], names: list[str]) -> set[str]:
    """The names of the components that these refer to, themselves included."""
    found: set[str] = set()
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            names += [reference.rpartition("/")[2] for reference in _references(schemas[name])]
    return found


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(reference := value.get("$ref"), str):
            yield reference
        value = list(value.values())
    if isinstance(value, list):
        for child in value:
            yield from _references(child)


@cache
def admits(path: str) -> jsonschema_rs.Validator:
    """The validator of a body posted to `path`."""
    return jsonschema_rs.validator_for(gonogo_contract.component_schema(REQUESTS[path]))


@cache
def admits_closed(path: str) -> jsonschema_rs.Validator:
    """The same, for which a field that the contract does not describe is wrong."""
    schema = {"$ref": f"#/components/schemas/{REQUESTS[path]}", "components": closed()["components"]}
    return jsonschema_rs.validator_for({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
