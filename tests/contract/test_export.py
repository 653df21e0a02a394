"""The copy for tools that read OpenAPI 3.1."""

from __future__ import annotations

import copy
import subprocess
import sys
from typing import TYPE_CHECKING

import jsonschema_rs
from gonogo_contract import document
from gonogo_contract.export import TARGET, main, render, to_3_1
from gonogo_contract.source import parse
from openapi_spec_validator import OpenAPIV31SpecValidator

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_copy_in_the_repository_is_what_the_contract_gives() -> None:
    assert TARGET.read_text(encoding="utf-8") == render()


def test_the_copy_is_valid_openapi_3_1() -> None:
    derived = parse(render())
    assert derived["openapi"] == "3.1.1"
    OpenAPIV31SpecValidator(derived).validate()


def test_the_schema_of_an_event_takes_the_place_of_that_of_the_stream() -> None:
    derived = to_3_1(document())
    media = derived["paths"]["/chat/completions"]["post"]["responses"]["200"]["content"]["text/event-stream"]
    assert media == {"schema": {"$ref": "#/components/schemas/ChatCompletionSseEvent"}}


def test_only_the_schemas_of_whole_streams_are_lost() -> None:
    kept, every = (set(one["components"]["schemas"]) for one in (to_3_1(document()), document()))
    assert every - kept == {
        "ChatCompletionSseStream",
        "CompletionSseStream",
        "EndedSseStream",
        "BrokenSseStream",
        "SseEvent",
        "ResponseSseStream",
        "ResponseLastSseEvent",
        "MessageSseStream",
        "MessageLastSseEvent",
    }
    assert kept <= every


def test_exported_components_are_unchanged() -> None:
    derived = parse(render())
    schemas = derived["components"]["schemas"]
    assert schemas == {name: document()["components"]["schemas"][name] for name in schemas}
    every = [{"$ref": f"#/components/schemas/{name}"} for name in schemas]
    jsonschema_rs.validator_for({"anyOf": every, **derived})


def test_exporting_leaves_the_contract_as_it_is() -> None:
    before = copy.deepcopy(document())
    to_3_1(document())
    assert document() == before


def test_check_passes_on_a_fresh_copy(tmp_path: Path) -> None:
    target = tmp_path / "copy.yaml"
    assert main(["--output", str(target)]) == 0
    assert main(["--check", "--output", str(target)]) == 0


def test_the_module_is_a_command() -> None:
    command = [sys.executable, "-m", "gonogo_contract.export", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_check_names_a_copy_that_is_missing_or_out_of_date(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "copy.yaml"
    assert main(["--check", "--output", str(target)]) == 1
    assert not target.exists()
    target.write_text("openapi: 3.1.1\n", encoding="utf-8")
    assert main(["--check", "--output", str(target)]) == 1
    told = f"{target} is out of date: run `python -m gonogo_contract.export`.\n"
    assert capsys.readouterr().err == told * 2
