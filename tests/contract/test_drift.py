"""The comparison with another document: equivalent small documents, then one change at a time."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_contract import document, text
from gonogo_contract.drift.__main__ import main
from gonogo_contract.drift.compare import Comparison, Difference
from gonogo_contract.drift.intended import Intention, judge
from gonogo_contract.drift.shape import UnresolvedReferenceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    WriteDocument = Callable[[dict[str, Any] | str], Path]
    WriteReasons = Callable[[str], Path]

AT = "POST /x request application/json $"


def api(schema: Any, **schemas: Any) -> dict[str, Any]:  # noqa: ANN401 - any schema
    """A document whose one operation takes `schema`."""
    operation = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {},
    }
    return {"openapi": "3.1.0", "paths": {"/x": {"post": operation}}, "components": {"schemas": schemas}}


def found(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    return [str(one).removeprefix(AT) for one in Comparison(ours, theirs).differences()]


def between(ours: Any, theirs: Any) -> list[str]:  # noqa: ANN401 - any schemas
    return found(api(ours), api(theirs))


def obj(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - any schemas
    return {"type": "object", "properties": properties, "required": list(required)}


TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
TAGGED_A, TAGGED_B = obj(("t",), t={"const": "a"}), obj(("t",), t={"enum": ["b"]})


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "null"]}, {"anyOf": [TEXT, {"type": "null"}]}),
        ({"type": ["string", "null"], "enum": ["a", None]}, {"oneOf": [{"enum": ["a"]}, {"type": "null"}]}),
        ({"type": "string", "const": "a"}, {"enum": ["a"]}),
        (obj(a=TEXT), {"properties": {"a": TEXT}}),
        (obj(("a", "b"), a=TEXT, b=WHOLE), {"allOf": [obj(("a",), a=TEXT), obj(("b",), b=WHOLE)]}),
        (TEXT, {"anyOf": [TEXT, {"type": "string", "enum": ["a"]}]}),
        ({"type": "integer", "minimum": 1}, {"allOf": [{"type": "number", "minimum": 1}, WHOLE]}),
        (
            {"type": "integer", "minimum": 2, "maximum": 3},
            {"allOf": [{"minimum": 1, "maximum": 3}, WHOLE, {"minimum": 2, "maximum": 4}]},
        ),
        ({"enum": ["a"]}, {"allOf": [{"enum": ["a", "b"]}, {"enum": ["a", "c"]}]}),
        ({"type": "number", "enum": [1, 2.5]}, {"type": "number", "enum": [2.5, 1]}),
        (True, {}),
        ({"type": "object"}, {"type": ["object", "string"], "enum": [{}]}),
        ({"allOf": [{"properties": {"a": TEXT}}, obj(a={"maxLength": 1})]}, obj(a={**TEXT, "maxLength": 1})),
        (
            {"type": "string", "pattern": "a"},
            {"allOf": [{"type": "string", "pattern": "a"}, {"pattern": "a"}]},
        ),
        ({"type": "object", "additionalProperties": True}, {"type": "object"}),
        ({"oneOf": [TAGGED_A, TAGGED_B]}, {"anyOf": [TAGGED_B, TAGGED_A]}),
    ],
    ids=str,
)
def test_equivalent_schemas_are_not_a_difference(ours: Any, theirs: Any) -> None:  # noqa: ANN401
    assert between(ours, theirs) == []
    assert between(theirs, ours) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (TEXT, WHOLE, [": type"]),
        (TEXT, {"type": ["string", "null"]}, [": nullable"]),
        (TEXT, {"type": "string", "nullable": True}, [": nullable"]),
        (obj(a=TEXT), obj(), [".a: field"]),
        (obj(), obj(a=TEXT), [".a: field"]),
        (obj(("a",), a=TEXT), obj(a=TEXT), [".a: required"]),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, [": enum"]),
        ({"enum": ["a"]}, TEXT, [": enum"]),
        ({"type": "integer", "minimum": 1}, WHOLE, [": minimum"]),
        ({"type": "number", "maximum": 1}, {"type": "number", "maximum": 2}, [": maximum"]),
        ({"type": "string", "maxLength": 1}, TEXT, [": maxLength"]),
        ({"type": "string", "pattern": "a"}, {"type": "string", "pattern": "b"}, [": pattern"]),
        ({"type": "array", "minItems": 1}, {"type": "array"}, ["[]: minItems"]),
        ({"type": "array", "items": TEXT}, {"type": "array", "items": WHOLE}, ["[]: type"]),
        ({"type": "object", "maxProperties": 1}, {"type": "object"}, [": maxProperties"]),
        ({"type": "object", "additionalProperties": False}, {"type": "object"}, [": additionalProperties"]),
        (
            {"type": "object", "additionalProperties": TEXT},
            {"type": "object", "additionalProperties": WHOLE},
            [".<other>: type"],
        ),
        (
            {"type": "object", "propertyNames": {"pattern": "^a$"}},
            {"type": "object", "propertyNames": {"type": "string"}},
            [".<name>: nullable", ".<name>: type", ".<name>: pattern"],
        ),
        (TAGGED_A, {"oneOf": [TAGGED_A, TAGGED_B]}, ["<t=b>: variant"]),
        (
            {"oneOf": [obj(("a",), a=TEXT), obj(("b",), b=TEXT)]},
            {"oneOf": [obj(("a",), a=WHOLE), obj(("b",), b=TEXT)]},
            ["<a>.a: type"],
        ),
        (
            {"oneOf": [{"type": "array", "items": TEXT}, {"type": "array", "items": WHOLE}]},
            {"type": "array", "items": TEXT},
            ["[]<integer>: variant"],
        ),
        ({"oneOf": [TAGGED_A, TAGGED_A]}, TAGGED_A, ["<t=a #2>: variant"]),
        (obj(a=obj(b=TEXT)), obj(a=obj(b=WHOLE)), [".a.b: type"]),
        (
            {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "string", "maxLength": 5}]},
            {"type": "string", "maxLength": 3},
            [": maxLength"],
        ),
        (False, TEXT, [": type"]),
    ],
    ids=str,
)
def test_each_kind_of_difference_is_found(ours: Any, theirs: Any, expected: list[str]) -> None:  # noqa: ANN401
    assert between(ours, theirs) == expected


def test_a_difference_has_the_values_of_both_documents() -> None:
    ours, theirs = api({"type": "integer", "minimum": 1}), api({"type": "integer", "minimum": 0})
    assert list(Comparison(ours, theirs).differences()) == [Difference(AT, "minimum", 1, 0)]


def test_a_reference_next_to_a_keyword_requires_both() -> None:
    assert found(api({"$ref": "#/components/schemas/A", "nullable": True}, A=TEXT), api(TEXT)) == [
        ": nullable"
    ]


def test_a_schema_that_contains_itself_is_compared_once() -> None:
    def tree(leaf: dict[str, Any]) -> dict[str, Any]:
        node = obj(leaf=leaf, child={"$ref": "#/components/schemas/Node"})
        return api({"$ref": "#/components/schemas/Node"}, Node=node)

    differences = found(tree(TEXT), tree(WHOLE))
    assert differences[0] == ".leaf: type"
    assert len(differences) <= 2


def test_a_reference_that_leads_nowhere_is_named() -> None:
    with pytest.raises(UnresolvedReferenceError, match="#/components/schemas/A"):
        found(api(TEXT), api({"$ref": "#/components/schemas/A"}))


def test_operations_responses_media_types_and_parameters_are_compared() -> None:
    ours = api(TEXT)
    ours["paths"]["/y"] = {"get": {"responses": {}}}
    theirs = copy.deepcopy(ours)
    theirs["paths"]["/more"] = {"get": {"responses": {}}}
    del theirs["paths"]["/y"]
    mine, other = ours["paths"]["/x"]["post"], theirs["paths"]["/x"]["post"]
    mine["parameters"] = [
        {"name": "a", "in": "query", "schema": TEXT},
        {"name": "b", "in": "query", "required": True},
    ]
    other["parameters"] = [{"name": "a", "in": "query", "schema": WHOLE}, {"name": "b", "in": "query"}]
    theirs["paths"]["/x"]["parameters"] = [{"name": "c", "in": "header"}]
    other["requestBody"]["required"] = False
    mine["requestBody"]["content"]["text/plain"] = {}
    mine["responses"] = {"200": {"content": {"text/plain": {}}}, "404": {}}
    other["responses"] = {"200": {"content": {"text/plain": {"schema": TEXT}}}, "500": {}}
    assert [str(one) for one in Comparison(ours, theirs).differences()] == [
        "POST /x query a: type",
        "POST /x query b: required",
        "POST /x header c: parameter",
        "POST /x request: required",
        "POST /x request text/plain: media type",
        "POST /x 200 text/plain $: nullable",
        "POST /x 200 text/plain $: type",
        "POST /x 404: response",
        "POST /x 500: response",
        "GET /y: operation",
    ]


def test_the_data_of_an_event_is_compared_with_the_schema_of_a_stream() -> None:
    event = obj(data={"type": "string", "contentSchema": TEXT})
    ours, theirs = (
        {
            "openapi": "3.2.0",
            "paths": {"/x": {"get": {"responses": {"200": {"content": {"text/event-stream": media}}}}}},
        }
        for media in ({"itemSchema": event}, {"schema": WHOLE})
    )
    assert found(ours, theirs) == ["GET /x 200 text/event-stream $: type"]


def test_an_intention_covers_what_its_pattern_says_and_brackets_stand_for_themselves() -> None:
    difference = Difference("GET /x 200 application/json $.a[].b", "minimum", 0, None)
    assert Intention("GET /x 200 application/json $.a[].b: minimum", "").covers(difference)
    assert Intention("*[].b: min*", "").covers(difference)
    assert not Intention("*.a.b: minimum", "").covers(difference)
    assert not Intention("*[].b", "").covers(difference)


def test_an_intention_that_covers_nothing_is_stale_and_a_difference_without_one_is_not_intended() -> None:
    one, two = (Difference("GET /x", facet, None, None) for facet in ("type", "enum"))
    used, stale = Intention("*: type", "why"), Intention("*: minimum", "why")
    assert judge([one, two], [used, stale]) == ([(one, used), (two, None)], [stale])


@pytest.fixture
def official(tmp_path: Path) -> WriteDocument:
    """Write a document to a file."""

    def write(content: dict[str, Any] | str) -> Path:
        file = tmp_path / "official"
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return file

    return write


@pytest.fixture
def reasons(tmp_path: Path) -> WriteReasons:
    """Write reasons to a file."""

    def write(content: str) -> Path:
        file = tmp_path / "intended.yaml"
        file.write_text(content, encoding="utf-8")
        return file

    return write


def changed() -> dict[str, Any]:
    theirs = copy.deepcopy(document())
    theirs["components"]["schemas"]["Usage"]["required"] = ["prompt_tokens"]
    return theirs


def test_the_contract_in_yaml_does_not_differ_from_itself(
    official: WriteDocument,
    reasons: WriteReasons,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([str(official(text())), "--intended", str(reasons(""))]) == 0
    assert capsys.readouterr().out == "0 differences: 0 intended, 0 not. Stale entries: 0.\n"


def test_a_difference_without_a_reason_fails_and_is_printed(
    official: WriteDocument,
    reasons: WriteReasons,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([str(official(changed())), "--intended", str(reasons(""))]) == 1
    line = (
        "  POST /completions 200 application/json $.usage.total_tokens: required (ours true, theirs false)\n"
    )
    printed = capsys.readouterr().out
    assert "NOT INTENDED" in printed
    assert line in printed


def test_a_difference_with_a_reason_passes_and_the_reason_is_printed(
    official: WriteDocument,
    reasons: WriteReasons,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = reasons("- {reason: Because., differences: ['*_tokens: required']}")
    assert main([str(official(changed())), "--intended", str(file)]) == 0
    assert "intended: Because.\n  POST /chat/completions 200" in capsys.readouterr().out


def test_a_stale_reason_fails_and_is_printed(
    official: WriteDocument,
    reasons: WriteReasons,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = reasons("- {reason: Because., differences: ['*: nothing']}")
    assert main([str(official(document())), "--intended", str(file)]) == 1
    assert "STALE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "{file} is neither JSON nor YAML: give an OpenAPI document."),
        ("[]", "{file} is not an OpenAPI document: it has no openapi version or no paths."),
        ('{"paths": {}}', "{file} is not an OpenAPI document: it has no openapi version or no paths."),
        (
            json.dumps(document() | {"components": {}}),
            "The reference '#/components/schemas/ModelList' leads nowhere in the document.",
        ),
    ],
    ids=["broken", "list", "other object", "reference"],
)
def test_a_file_that_cannot_be_compared_is_one_sentence(
    official: WriteDocument,
    capsys: pytest.CaptureFixture[str],
    content: str,
    sentence: str,
) -> None:
    file = official(content)
    assert main([str(file)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == sentence.replace("{file}", str(file)) + "\n"


@pytest.mark.parametrize("content", ["a: b", "- {reason: a}", "- {reason: a, differences: [1]}", "- a"])
def test_reasons_of_another_form_are_one_sentence(
    official: WriteDocument, reasons: WriteReasons, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    file = reasons(content)
    assert main([str(official(text())), "--intended", str(file)]) == 2
    told = f"{file} must be a list of entries, each with a reason and a list of differences.\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize("content", ["[", None])
def test_reasons_that_are_missing_or_not_yaml_are_one_sentence(
    tmp_path: Path, official: WriteDocument, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    file = tmp_path / "reasons.yaml"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    assert main([str(official(text())), "--intended", str(file)]) == 2
    assert capsys.readouterr().err == f"{file} cannot be read as YAML: give a file like intended.yaml.\n"


def test_a_missing_file_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "nothing.json"
    assert main([str(file)]) == 2
    assert capsys.readouterr().err == f"{file} cannot be read: No such file or directory.\n"


def test_the_module_is_a_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gonogo_contract.drift", str(tmp_path / "nothing.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("cannot be read: No such file or directory.\n")


def test_a_file_that_is_not_text_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bytes"
    file.write_bytes(b"\xff\xfe\x00")
    assert main([str(file)]) == 2
    assert capsys.readouterr().err == f"{file} is not UTF-8 text: give an OpenAPI document.\n"


@pytest.mark.skipif(
    "GONOGO_OFFICIAL_OPENAPI" not in os.environ, reason="GONOGO_OFFICIAL_OPENAPI names no official document"
)
def test_every_difference_from_the_official_document_is_intended() -> None:
    assert main([os.environ["GONOGO_OFFICIAL_OPENAPI"]]) == 0
