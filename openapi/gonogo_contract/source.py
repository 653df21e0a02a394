"""Reads the contract from this package, once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any


@cache
def text() -> str:
    """Return the OpenAPI 3.2 document as YAML, with its comments."""
    return files(__package__).joinpath("openapi.yaml").read_text(encoding="utf-8")


@cache
def document() -> dict[str, Any]:
    """Return the parsed OpenAPI 3.2 document. Every caller gets the same object: do not change it."""
    parsed: dict[str, Any] = parse(text())
    return parsed


def parse(source: str) -> Any:  # noqa: ANN401 - any YAML or JSON value
    """Parse YAML or JSON. Raises yaml.YAMLError if the text is neither."""
    import yaml  # noqa: PLC0415 - servers start sooner without it

    # The C loader is ten times faster, but missing if PyYAML was built without libyaml.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(source, Loader=loader)  # noqa: S506 - both loaders are the safe ones


def component_schema(name: str) -> dict[str, Any]:
    """Return a component as a self-contained JSON Schema (2020-12): all its references point into itself.

    Shares the contract's objects: do not change it. Raises LookupError if there is no such component.
    """
    components = document()["components"]
    if name not in components["schemas"]:
        raise LookupError(f"The contract has no schema named {name!r}.")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": f"#/components/schemas/{name}",
        "components": components,
    }


@cache
def request_components() -> dict[str, str]:
    """The name of the component for the JSON body of each POST, by path."""
    posts = {path: item["post"] for path, item in document()["paths"].items() if "post" in item}
    return {
        path: post["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for path, post in posts.items()
    }
