"""Properties of the whole document, independent of the API that it describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from gonogo_contract import component_schema, document, text
from gonogo_contract.source import parse
from openapi_spec_validator import OpenAPIV32SpecValidator

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMAS: dict[str, Any] = document()["components"]["schemas"]
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, item in document()["paths"].items()
    for method, operation in item.items()
    if method != "parameters"
]
OPERATION_PARAMETERS = pytest.mark.parametrize(
    "operation", [one for _, one in OPERATIONS], ids=[name for name, _ in OPERATIONS]
)


def objects(value: object, where: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield where, value
        for key, child in value.items():
            yield from objects(child, f"{where}/{key.replace('/', '~1')}")
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from objects(child, f"{where}/{index}")


def schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object outside of examples; a schema object has a type, a reference or members."""
    return ((where, value) for where, value in objects(document()) if "/examples/" not in where)


def types(schema: dict[str, Any]) -> set[str]:
    # An object may have a property that is named type; its value is then neither a string nor a list.
    declared = schema.get("type")
    return {declared} if isinstance(declared, str) else set(declared) if isinstance(declared, list) else set()


def resolved(value: dict[str, Any]) -> dict[str, Any]:
    found: Any = value
    while "$ref" in found:
        path = found["$ref"].removeprefix("#/").split("/")
        found = document()
        for key in path:
            found = found[key]
    return dict(found)


def test_it_is_valid_openapi_3_2() -> None:
    assert document()["openapi"] == "3.2.0"
    OpenAPIV32SpecValidator(document()).validate()


def test_the_text_is_what_was_parsed() -> None:
    assert parse(text()) == document()


def test_every_object_and_array_has_a_name_in_components() -> None:
    inline = [
        where
        for where, schema in schemas()
        if types(schema) & {"object", "array"} and where.rpartition("/")[0] != "#/components/schemas"
    ]
    assert inline == []


def test_no_list_of_types_contains_object_or_array() -> None:
    # Generators lose the members of such a schema; a union with the named schema keeps them.
    listed = [
        where
        for where, schema in schemas()
        if isinstance(schema.get("type"), list) and types(schema) & {"object", "array"}
    ]
    assert listed == []


def test_null_is_a_type_and_never_the_old_keyword() -> None:
    assert [where for where, value in objects(document()) if "nullable" in value] == []


def test_every_discriminator_maps_each_value_to_a_member_that_has_it() -> None:
    seen = 0
    for where, schema in schemas():
        if "discriminator" not in schema:
            continue
        seen += 1
        name, mapping = schema["discriminator"]["propertyName"], schema["discriminator"]["mapping"]
        assert [member["$ref"] for member in schema["oneOf"]] == list(mapping.values()), where
        for value, reference in mapping.items():
            member = resolved({"$ref": reference})
            assert member["properties"][name]["const"] == value, where
            assert name in member["required"], where
    assert seen


def test_every_component_is_used() -> None:
    used = {value["$ref"] for _, value in objects(document()) if isinstance(value.get("$ref"), str)}
    defined = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "responses", "headers", "parameters")
        for name in document()["components"][kind]
    }
    assert defined == used


def test_every_component_says_what_it_is() -> None:
    assert [name for name, schema in SCHEMAS.items() if not schema.get("description")] == []


def test_no_member_is_an_extension_of_openapi() -> None:
    assert [where for where, value in objects(document()) for key in value if key.startswith("x-")] == []


@OPERATION_PARAMETERS
def test_every_operation_has_error_responses_with_the_envelope_of_its_surface(
    operation: dict[str, Any],
) -> None:
    envelope = "MessageErrorEnvelope" if operation["tags"] == ["Messages"] else "ErrorEnvelope"
    expected = {"401", "403", "405", "429", "5XX"}
    if "requestBody" in operation:
        expected |= {"400", "404", "413", "415"}
    errors = {status: resolved(one) for status, one in operation["responses"].items() if status != "200"}
    assert expected <= errors.keys()
    for error in errors.values():
        assert error["content"] == error["content"] | {
            "application/json": error["content"]["application/json"]
            | {"schema": {"$ref": f"#/components/schemas/{envelope}"}}
        }


@OPERATION_PARAMETERS
def test_no_operation_answers_with_422(operation: dict[str, Any]) -> None:
    assert "422" not in operation["responses"]


def test_a_key_is_optional() -> None:
    assert document()["security"] == [{"ApiKeyAuth": []}, {}]


def examples() -> Iterator[tuple[str, dict[str, Any], Any]]:
    for where, value in objects(document()):
        if "examples" in value and "schema" in value:
            for name, example in value["examples"].items():
                yield f"{where}/examples/{name}", value["schema"], example["value"]


@pytest.mark.parametrize(("where", "schema", "example"), list(examples()), ids=lambda one: str(one)[-40:])
def test_every_example_is_admitted_by_its_schema(where: str, schema: dict[str, Any], example: object) -> None:
    name = schema["$ref"].rpartition("/")[2]
    jsonschema_rs.validator_for(component_schema(name)).validate(example)


def test_every_request_and_every_kind_of_answer_has_an_example() -> None:
    shown = {schema["$ref"].rpartition("/")[2] for _, schema, _ in examples()}
    assert shown == {
        "CreateChatCompletionRequest",
        "CreateCompletionRequest",
        "CreateEmbeddingRequest",
        "CreateResponseRequest",
        "CreateMessageRequest",
        "CountMessageTokensRequest",
        "ChatCompletion",
        "Completion",
        "EmbeddingList",
        "Model",
        "ModelList",
        "ErrorEnvelope",
        "ResponseObject",
        "ResponseDeleted",
        "ResponseInputTokens",
        "Message",
        "MessageTokenCount",
        "MessageErrorEnvelope",
    }


def test_a_component_is_a_self_contained_schema() -> None:
    schema = component_schema("ErrorEnvelope")
    validator = jsonschema_rs.validator_for(schema)
    error = {"message": "No.", "type": "invalid_request_error", "param": None, "code": None}
    assert validator.is_valid({"error": error})
    assert not validator.is_valid({"error": {**error, "message": None}})


def test_an_unknown_component_is_named_in_the_error() -> None:
    with pytest.raises(LookupError, match="no schema named 'Nothing'"):
        component_schema("Nothing")
