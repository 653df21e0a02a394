"""The contract for fuzzing: request schemas without additional fields.

The contract allows servers to refuse or ignore unknown fields. Most valid requests generated from the open schemas
would consist of such fields.
"""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any

import gonogo_contract
import jsonschema_rs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OWN = frozenset(
    {
        "annotations",
        "cache_control",
        "chat_template_kwargs",
        "modalities",
        "prediction",
        "prompt_cache_retention",
    }
    | {"reasoning_content", "verbosity"}
)
"""Members of requests that our contract accepts because clients send them, and that any server may refuse."""

NULLABLE: Mapping[str, frozenset[str]] = {
    "CreateChatCompletionRequest": frozenset(
        {
            "frequency_penalty",
            "logit_bias",
            "logprobs",
            "max_completion_tokens",
            "max_tokens",
            "metadata",
            "n",
            "presence_penalty",
            "prompt_cache_key",
            "reasoning_effort",
            "safety_identifier",
            "seed",
            "stop",
            "store",
            "service_tier",
            "stream",
            "stream_options",
            "temperature",
            "top_logprobs",
            "top_p",
        }
    ),
    "CreateCompletionRequest": frozenset(
        {
            "best_of",
            "echo",
            "frequency_penalty",
            "logit_bias",
            "logprobs",
            "max_tokens",
            "n",
            "presence_penalty",
            "prompt",
            "seed",
            "stop",
            "stream",
            "stream_options",
            "suffix",
            "temperature",
            "top_p",
        }
    ),
    "ChatCompletionRequestAssistantMessage": frozenset({"content", "refusal"}),
    "FunctionObject": frozenset({"strict"}),
    "JsonSchemaFormat": frozenset({"strict"}),
}
"""Members that can be null in the official document; our contract allows null for every optional one, because clients
send it.

Responses and messages have none: a request with a null is odd, and a server may refuse it.
"""


def requests() -> Mapping[str, str]:
    """The schema of the request body by path. The contract is read on the first call, not on import."""
    return gonogo_contract.request_components()


def _of_drawn() -> dict[str, Any]:
    """The paths for which requests are generated, without stored responses, because few servers store any."""
    document = copy.deepcopy(gonogo_contract.document())
    drawn = {"/models", "/models/{model}", *requests()}
    document["paths"] = {path: item for path, item in document["paths"].items() if path in drawn}
    return document


@cache
def _owed() -> dict[str, Any]:
    """The contract, without request fields that no server has to support. Shared: do not change it."""
    document = _of_drawn()
    schemas = document["components"]["schemas"]
    for name in _reached(schemas, list(requests().values())):
        properties = schemas[name].get("properties", {})
        for own in OWN & properties.keys():
            del properties[own]
        for member in properties.keys() - NULLABLE.get(name, frozenset()):
            properties[member] = _without_null(properties[member])
    return document


def _without_null(schema: Any) -> Any:  # noqa: ANN401 - a schema is an object, true or false
    """The schema of a member, without the null that it allows."""
    if not isinstance(schema, dict):
        return schema
    kept = dict(schema)
    if isinstance(kept.get("type"), list):
        types = [name for name in kept["type"] if name != "null"]
        kept["type"] = types[0] if len(types) == 1 else types
    if isinstance(kept.get("enum"), list):
        kept["enum"] = [value for value in kept["enum"] if value is not None]
    for union in ("anyOf", "oneOf"):
        if union in kept:
            kept[union] = [branch for branch in kept[union] if branch != {"type": "null"}]
    return kept


@cache
def closed() -> dict[str, Any]:
    """The same, without additional fields in the objects of requests. Shared: do not change it."""
    document = copy.deepcopy(_owed())
    schemas = document["components"]["schemas"]
    for name in _reached(schemas, list(requests().values())):
        schema = schemas[name]
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return document


LENIENT = frozenset({"logprobs", "refusal"})
"""Required members of answers that many servers omit: separate rules report them as warnings."""


@cache
def described() -> dict[str, Any]:
    """The contract for validating answers, without the parts that separate rules cover. Shared."""
    document = _of_drawn()
    for schema in document["components"]["schemas"].values():
        if "required" in schema:
            schema["required"] = [name for name in schema["required"] if name not in LENIENT]
    return document


@cache
def required(path: str) -> frozenset[str]:
    """The members that a body posted to `path` must have."""
    return frozenset(gonogo_contract.document()["components"]["schemas"][requests()[path]]["required"])


def _reached(schemas: dict[str, Any], names: list[str]) -> set[str]:
    """The names of the components that these reference, including themselves."""
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
    return _validator(path, _owed())


@cache
def admits_closed(path: str) -> jsonschema_rs.Validator:
    """The same, rejecting fields that the contract does not describe."""
    return _validator(path, closed())


def _validator(path: str, document: dict[str, Any]) -> jsonschema_rs.Validator:
    schema = {"$ref": f"#/components/schemas/{requests()[path]}", "components": document["components"]}
    return jsonschema_rs.validator_for({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
