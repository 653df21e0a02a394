"""The models accept exactly what the schemas accept: generated bodies, and bodies with one error each.

The schemas of event streams are omitted: `contains` and `contentSchema` have no counterpart in a model, and streams are
read by a parser, not by a model.
"""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import TYPE_CHECKING, Any

import gonogo_wire
import jsonschema_rs
import pytest
import schemathesis
from gonogo_contract import component_schema, document
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from schemathesis import GenerationMode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

BODIES = {
    "CreateChatCompletionRequest": 15,
    "CreateCompletionRequest": 20,
    "CreateEmbeddingRequest": 20,
    "ChatCompletion": 10,
    "ChatCompletionChunk": 10,
    "Completion": 10,
    "CompletionChunk": 10,
    "EmbeddingList": 10,
    "ModelList": 10,
    "ErrorEnvelope": 10,
}
"""How many bodies are drawn for a component."""
MUTATIONS_OF_A_DRAWN_BODY = 60
"""Many, as drawing a body takes as long as two hundred mutations."""
REPLACEMENTS: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    1,
    1.5,
    -2.5,
    21,
    129,
    10**30,
    "",
    "1",
    "text",
    "assistant",
    "a\n",
    "x" * 65,
    [],
    [1],
    [[]],
    [None],
    ["a"] * 5,
    {},
    {"type": "text"},
    {"a": 1},
    {"1": 1},
)
DELETED = object()


def drawn(name: str, mode: GenerationMode) -> SearchStrategy[Any]:
    """Bodies for a component; Schemathesis generates them for requests, so the component is presented as one."""
    body = {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
    }
    operation = {"requestBody": body, "responses": {"200": {"description": "Well."}}}
    api = schemathesis.openapi.from_dict(
        {
            "openapi": "3.1.0",
            "info": {"title": "bodies", "version": "1"},
            "paths": {"/": {"post": operation}},
            "components": {"schemas": document()["components"]["schemas"]},
        }
    )
    cases = api["/"]["POST"].as_strategy(generation_mode=mode)
    # The negative mode also omits the body, or sends bytes that are not JSON: nothing to compare.
    return cases.map(lambda case: case.body).filter(is_json)


def is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except TypeError:
        return False
    return True


def integral(text: str) -> int | float:
    """Read 1.0 as an integer, as in JSON Schema; the models distinguish it from 1, so servers must convert it."""
    value = float(text)
    return int(value) if value.is_integer() else value


@cache
def judges(name: str) -> tuple[jsonschema_rs.Validator, TypeAdapter[Any]]:
    return jsonschema_rs.validator_for(component_schema(name)), TypeAdapter(getattr(gonogo_wire, name))


def agree(name: str, body: object) -> bool:
    """Whether the schema accepts the body; fails if the model disagrees."""
    value = json.loads(json.dumps(body), parse_float=integral)
    text = json.dumps(value)
    schema, model = judges(name)
    admitted: bool = schema.is_valid(value)
    assert admitted == accepts(model, text), (
        f"admitted by the schema: {admitted}, by the model: {not admitted}: {text}"
    )
    return admitted


def accepts(model: TypeAdapter[Any], text: str) -> bool:
    try:
        model.validate_json(text)
    except ValidationError:
        return False
    return True


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every path in a JSON value, and in each object an unused member."""
    yield path
    if isinstance(value, dict):
        yield (*path, "unknown")
    if isinstance(value, dict | list):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(child, (*path, key))


def mutated(body: Any, path: tuple[str | int, ...], replacement: object) -> object:  # noqa: ANN401 - any JSON
    """Return `body` with another value at `path`, or without it; only the containers on the way are copied."""
    if not path:
        return replacement
    result = copy.copy(body)
    key, *further = path
    if further:
        result[key] = mutated(body[key], tuple(further), replacement)
    elif replacement is not DELETED:
        result[key] = replacement
    elif key != "unknown":
        del result[key]
    return result


quietly = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    # Generating from schemas of this size takes long; the number of bodies is bounded below instead.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


@pytest.mark.parametrize(("name", "count"), BODIES.items(), ids=BODIES)
def test_models_and_schemas_agree_on_drawn_bodies(name: str, count: int) -> None:
    verdicts = []

    @settings(quietly, max_examples=count)
    @given(drawn(name, GenerationMode.POSITIVE), st.randoms(use_true_random=False))
    def compare(body: object, random: Any) -> None:  # noqa: ANN401 - hypothesis' Random
        verdicts.append(agree(name, body))
        paths = [path for path in places(body) if path]
        for _ in range(MUTATIONS_OF_A_DRAWN_BODY):
            agree(name, mutated(body, random.choice(paths), random.choice((DELETED, *REPLACEMENTS))))

    compare()
    assert sum(verdicts) >= count * 0.9, "almost all bodies that are drawn as valid are valid"


@pytest.mark.parametrize(
    "name", ["CreateChatCompletionRequest", "CreateCompletionRequest", "CreateEmbeddingRequest"]
)
def test_models_and_schemas_agree_on_bodies_drawn_as_invalid(name: str) -> None:
    verdicts = []

    @settings(quietly, max_examples=20)
    @given(drawn(name, GenerationMode.NEGATIVE))
    def compare(body: object) -> None:
        verdicts.append(agree(name, body))

    compare()
    assert verdicts.count(False) >= 15, "almost all bodies that are drawn as invalid are invalid"


def examples() -> Iterator[tuple[str, object]]:
    """The example bodies of the contract, with the name of their component."""

    def walk(value: object) -> Iterator[tuple[str, object]]:
        if isinstance(value, dict):
            if "examples" in value and "schema" in value:
                name = value["schema"]["$ref"].rpartition("/")[2]
                yield from ((name, example["value"]) for example in value["examples"].values())
            value = list(value.values())
        if isinstance(value, list):
            for child in value:
                yield from walk(child)

    return walk(document())


@pytest.mark.parametrize(("name", "body"), list(examples()), ids=lambda one: str(one)[:40])
def test_models_and_schemas_agree_on_every_example_broken_in_every_place(name: str, body: object) -> None:
    assert agree(name, body)
    refused = 0
    for path in places(body):
        for replacement in (DELETED, *REPLACEMENTS) if path else REPLACEMENTS:
            refused += not agree(name, mutated(body, path, replacement))
    assert refused
