"""Response formats: enforced exactly, or refused with the reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from gonogo_server.errors import BadRequest
from gonogo_server.schemas.limits import SchemaLimits
from gonogo_server.schemas.structured import advised, enforced, grammar, structure
from pydantic import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo_wire import CreateChatCompletionRequest
    from server.grammars import Grammar

PARAM, CODE = "response_format.json_schema.schema", "invalid_json_schema"


def format_of(schema: object, **more: object) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "gauge", "schema": schema, **more}}


def of_object(**properties: object) -> dict[str, Any]:
    required = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


@pytest.fixture
def structured(
    request_with: Callable[..., CreateChatCompletionRequest], grammar: Callable[[str], Grammar]
) -> Callable[[dict[str, Any]], Grammar]:
    """The grammar of a response format."""

    def make(asked: dict[str, Any]) -> Grammar:
        wanted = structure(request_with(response_format=asked).response_format)
        assert wanted is not None
        return grammar(grammar_of(wanted.rule))

    return make


def grammar_of(rule: str) -> str:
    return grammar(f"start: {rule}")


ENFORCED = {
    "a constant": {"const": "teal é\n"},
    "an enumeration of one type": {"type": "string", "enum": ["a", 1, None, "b"]},
    "bounds of an integer": {"type": "integer", "minimum": 100, "maximum": 200},
    "open bounds of a number": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "a multiple": {"type": "integer", "multipleOf": 3, "minimum": 4},
    "a pattern with lengths": {"type": "string", "pattern": "^[ab]+$", "minLength": 3, "maxLength": 5},
    "a date": {"type": "string", "format": "date"},
    "a UUID": {"type": "string", "format": "uuid"},
    "several types": {"type": ["string", "null"], "maxLength": 2},
    "places of an array": {"type": "array", "prefixItems": [{"type": "null"}], "items": False, "minItems": 1},
    "numbers of items": {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 3},
    "names by pattern": {
        "type": "object",
        "patternProperties": {"^a[0-9]$": {"type": "null"}},
        "additionalProperties": False,
    },
    "numbers of named properties": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {"a": {"type": "null"}, "b": {"type": "null"}, "c": {"type": "null"}},
        "additionalProperties": False,
    },
    "an alternative": {
        "type": "object",
        "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
        "properties": {"a": {"type": "null"}, "b": {"type": "null"}},
        "additionalProperties": False,
    },
    "exactly one of what cannot overlap": {
        "oneOf": [of_object(k={"const": "a"}), of_object(k={"const": "b"})]
    },
    "all of several": {
        "allOf": [of_object(a={"type": "integer"}), {"properties": {"a": {"minimum": 3}}}],
    },
    "a reference with more beside it": {
        "$defs": {"text": {"type": "string"}},
        **of_object(a={"$ref": "#/$defs/text", "maxLength": 2}),
    },
    "itself within": {"type": "object", "properties": {"a": {"$ref": "#"}}, "additionalProperties": False},
    "items of an older dialect": {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "array",
        "items": [{"type": "null"}, {"type": "boolean"}],
        "minItems": 2,
        "maxItems": 2,
    },
    "names that are no identifiers": of_object(**{'ä\n"': {"type": "null"}}),
    "annotations": {
        "title": "T",
        "description": "D",
        "default": 3,
        "examples": [1],
        "deprecated": False,
        "x-order": 1,
        "nullable": False,
        "type": "integer",
    },
}


@pytest.mark.parametrize("schema", ENFORCED.values(), ids=ENFORCED)
def test_every_text_that_a_grammar_accepts_matches_the_schema(
    schema: dict[str, Any], structured: Callable[[dict[str, Any]], Grammar]
) -> None:
    rules = structured(format_of(schema))
    answers = [answer for seed in range(25) if (answer := rules.dice(seed)) is not None]
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)
    assert answers
    assert [answer for answer in answers if not validator.is_valid(json.loads(answer))] == []


REFUSED: dict[str, list[dict[str, Any]]] = {
    "is not supported": [
        {"not": {"type": "null"}},
        {"type": "array", "uniqueItems": True},
        {"type": "array", "contains": {}},
        {"type": "object", "propertyNames": {"maxLength": 3}},
        {"if": {}, "then": {}},
        {"type": "object", "dependentRequired": {"a": ["b"]}},
        {"type": "object", "unevaluatedProperties": False},
        of_object(a={"type": "integer", "nullable": True}),
        {"type": "array", "prefixItems": [{"type": "null"}], "additionalItems": False},
        {"type": "integer", "divisibleBy": 2},
        {"anyOf": [{"disallow": "string"}]},
        {"extends": {"type": "null"}},
        {"x-guidance": {"lenient": True}, "not": {}},
        {"$defs": {"a": {"x-guidance": {}}}, "$ref": "#/$defs/a"},
    ],
    "is supported only if": [
        {"oneOf": [{"type": "integer"}, {"type": "number"}]},
        {"type": "object", "minProperties": 2},
        {"type": "object", "minProperties": 2, "additionalProperties": False, "patternProperties": {"a": {}}},
    ],
    "'strng' is not a type": [{"type": "strng"}],
    "the format 'nonsense' is unknown": [{"type": "string", "format": "nonsense"}],
    "is not of type": [{"title": 3}, {"type": "object", "$defs": {"a": {"required": "a"}}}],
    "'required' has a value of the wrong type": [{"type": "object", "required": "a"}],
    "at 'items/title'": [{"items": {"title": 3}}],
    "no value": [
        {"enum": []},
        {"type": "string", "minLength": 3, "maxLength": 1},
        {"type": "object", "required": ["a"], "additionalProperties": False},
    ],
    "a number in it is too large": [
        {"const": 2**64},
        {"const": 10**400},
        {"type": "integer", "minimum": 10**400},
    ],
    "9007199254740993 in it is an integer that grammars cannot represent exactly; use a string": [
        {"const": 2**53 + 1},
        {"enum": [1, 2**53 + 1]},
        {"enum": [{"a": [True, 2**53 + 1]}]},
        of_object(a={"type": "integer", "minimum": 2**53 + 1}),
        {"type": "integer", "maximum": 2**53 + 1},
        {"type": "integer", "multipleOf": 2**53 + 1},
        {"$defs": {"a": {"const": 2**53 + 1}}, "$ref": "#/$defs/a"},
    ],
    "cannot represent exactly": [{"const": 2**63}, {"const": -(2**53) - 1}],
    "without end": [{"$ref": "#"}, {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}],
    "does not resolve": [{"$ref": "#/$defs/nowhere"}],
    "leads outside the schema": [
        {"$ref": "http://schemas.example/x"},
        {"$schema": "http://schemas.example/x"},
    ],
    "look-around": [{"type": "string", "pattern": "(?!a)b"}],
    "an anchor or a word boundary inside a pattern": [
        {"type": "string", "pattern": "a^b"},
        {"type": "string", "pattern": r"a\bc"},
    ],
    "'$ref' has a value of the wrong type": [{"$ref": 5}],
    "'anyOf' has a value of the wrong type": [{"anyOf": 5}],
    "a schema in it is neither an object nor a boolean": [{"type": "array", "items": 5}],
    "'multipleOf' must be greater than 0": [{"type": "number", "multipleOf": 0}],
    "'multipleOf' has too many digits": [{"type": "number", "multipleOf": 1e-300}],
    "the reference to '#/a%' does not resolve": [{"$ref": "#/a%"}],
}


@pytest.mark.parametrize(
    ("words", "schema"), [(words, schema) for words, schemas in REFUSED.items() for schema in schemas]
)
def test_a_schema_that_cannot_be_enforced_is_refused_with_the_reason(
    words: str, schema: dict[str, Any]
) -> None:
    with pytest.raises(BadRequest) as refused:
        enforced(schema, PARAM, CODE)
    assert words in str(refused.value)
    assert str(refused.value).startswith("This schema cannot be enforced: ")
    assert (refused.value.param, refused.value.code) == (PARAM, CODE)


@pytest.mark.parametrize("number", [2**53, 2**60, -(2**53), 10**18])
def test_a_large_integer_that_a_grammar_holds_exactly_is_enforced(
    number: int, grammar: Callable[[str], Grammar]
) -> None:
    rules = grammar(grammar_of(enforced({"const": number}, PARAM, CODE)))
    assert rules.admits(str(number))
    assert not rules.admits(str(number + 1))


def test_a_number_that_a_grammar_would_change_is_left_to_the_model_where_it_is_advised(
    grammar: Callable[[str], Grammar],
) -> None:
    schema = of_object(id={"const": 2**53 + 1})
    rules = grammar(grammar_of(advised(schema, PARAM, CODE)))
    assert rules.admits('{"id": 9007199254740993}')


def test_a_schema_that_is_nested_too_deeply_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(100_000):
        schema = {"items": schema}
    with pytest.raises(BadRequest, match="nested too deeply"):
        enforced(schema, PARAM, CODE)


def test_a_long_reason_is_cut() -> None:
    with pytest.raises(BadRequest, match="…") as refused:
        enforced({"type": "string", "format": "n" * 900}, PARAM, CODE)
    assert len(str(refused.value)) < 400


def test_internal_messages_of_the_library_are_not_forwarded() -> None:
    with pytest.raises(BadRequest) as refused:
        enforced({"type": "string", "format": "date-time", "maxLength": 4}, PARAM, CODE)
    assert str(refused.value) == "This schema cannot be enforced: no value can satisfy it."


@pytest.mark.parametrize("strict", [True, False, None])
def test_a_schema_is_enforced_whether_it_is_strict_or_not(
    strict: bool | None,  # noqa: FBT001 - the value under test
    structured: Callable[[dict[str, Any]], Grammar],
) -> None:
    rules = structured(format_of(of_object(x={"type": "integer"}), strict=strict))
    assert rules.admits('{"x": 3}')
    assert not rules.admits_beginning('{"y"')


def test_a_json_object_is_an_object_and_nothing_else(structured: Callable[[dict[str, Any]], Grammar]) -> None:
    rules = structured({"type": "json_object"})
    assert rules.admits('{"a": [1, null, {"b": "c"}]}')
    assert not any(rules.admits_beginning(text) for text in ("[", '"', "1", "Sure", " {", "```"))
    assert not rules.admits_beginning("{} ")


def test_a_format_without_a_schema_is_any_json(structured: Callable[[dict[str, Any]], Grammar]) -> None:
    rules = structured({"type": "json_schema", "json_schema": {"name": "any"}})
    assert rules.admits("[1, true]")
    assert not rules.admits_beginning("Sure")


def test_json_is_written_as_python_writes_it(structured: Callable[[dict[str, Any]], Grammar]) -> None:
    rules = structured({"type": "json_object"})
    assert rules.admits(json.dumps({"a": [1, 2.5, None], "b": {"c": "d", "e": [True, {}]}}))
    assert not any(
        rules.admits_beginning(text) for text in ("{ ", "{\n", '{"a":1', '{"a" ', '{"a": 1 ', '{"a": 1,"')
    )


def test_whitespace_is_the_models_own_where_it_is_free_and_comes_to_an_end(
    grammar: Callable[[str], Grammar], request_with: Callable[..., CreateChatCompletionRequest]
) -> None:
    asked = request_with(response_format={"type": "json_object"}).response_format
    wanted = structure(asked, SchemaLimits(whitespace="free"))
    assert wanted is not None
    rules = grammar(grammar_of(wanted.rule))
    assert rules.admits('{ "a" : 1,\n    "b": [\r\n\t1\n]\n}')
    assert not rules.admits_beginning("{  ")
    assert not rules.admits_beginning("{\n\n")
    assert not rules.admits_beginning("{\n" + 33 * " ")


def test_text_is_not_structured_output(request_with: Callable[..., CreateChatCompletionRequest]) -> None:
    assert structure(request_with(response_format={"type": "text"}).response_format) is None
    assert structure(MISSING) is None


def test_the_prompt_has_the_name_the_description_and_the_schema(
    request_with: Callable[..., CreateChatCompletionRequest],
) -> None:
    schema = of_object(x={"type": "integer", "description": "größe"})
    wanted = structure(request_with(response_format=format_of(schema, description="A size.")).response_format)
    assert wanted is not None
    assert "'gauge'" in wanted.instruction
    assert "A size." in wanted.instruction
    assert json.dumps(schema, ensure_ascii=False) in wanted.instruction


def test_a_schema_that_only_advises_is_followed_as_far_as_it_goes(grammar: Callable[[str], Grammar]) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"not": {"type": "null"}}},
        "required": ["a"],
    }
    rules = grammar(grammar_of(advised(schema, "p", "c")))
    assert rules.admits('{"a": 1, "b": null}')
    assert not rules.admits_beginning('{"a": "')


def test_a_schema_that_only_advises_may_be_beyond_any_grammar(grammar: Callable[[str], Grammar]) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?!x)y"}}}
    rules = grammar(grammar_of(advised(schema, "p", "c")))
    assert rules.admits('{"a": 1}')
    assert not rules.admits_beginning("[")


@pytest.mark.parametrize(
    "schema", [{"type": "strng"}, {"const": 10**400}, {"$schema": "http://schemas.example/x"}]
)
def test_even_a_schema_that_only_advises_has_to_be_one(schema: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="This schema cannot be read: ") as refused:
        advised(schema, "tools[0].function.parameters", "invalid_function_parameters")
    assert refused.value.param == "tools[0].function.parameters"


def test_schemas_that_are_too_large_for_a_grammar_are_refused() -> None:
    names = [f"name_{number}_{letter}" for number in range(200) for letter in "abcdefgh"]
    rules = [
        f"part_{index}: %json {json.dumps({'enum': [name, *names]})}"
        for index, name in enumerate(names[:200])
    ]
    parts = " ".join(f"part_{index}" for index in range(len(rules)))
    with pytest.raises(BadRequest, match="too large for one grammar"):
        grammar("\n".join([f"start: {parts}", *rules]))
