"""The contract as an OpenAPI 3.1 document, for tools that do not read 3.2.

`python -m gonogo_contract.export` writes it next to the contract; with --check it only compares, and exits with 1
if the file is out of date.

3.1 has no keyword for the schema of a whole stream, so the requirement that a stream ends with [DONE] is lost. The
schema of one event takes its place, as tools for 3.1 expect.
"""

from __future__ import annotations

import argparse
import copy
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from gonogo_contract.source import document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TARGET = Path(__file__).with_name("openapi-3.1.yaml")
HEADER = "# Derived from openapi.yaml by `python -m gonogo_contract.export`; changes made here are lost.\n"


class _Dumper(yaml.SafeDumper):
    """Writes multi-line texts as literal blocks."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def to_3_1(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return a 3.2 document as OpenAPI 3.1.1, without what 3.1 cannot express; `source` is not changed."""
    derived = copy.deepcopy(dict(source))
    derived["openapi"] = "3.1.1"
    for tag in derived.get("tags", []):
        tag.pop("summary", None)
    for media in _under(derived, "itemSchema"):
        media["schema"] = media.pop("itemSchema")
    _drop_unused(derived["components"]["schemas"], derived)
    return derived


def _under(value: object, key: str) -> Iterator[dict[str, Any]]:
    """Yield every object in `value`, including itself, that has `key`."""
    if isinstance(value, dict):
        if key in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for child in value:
            yield from _under(child, key)


def _drop_unused(schemas: dict[str, Any], whole: dict[str, Any]) -> None:
    """Remove unreferenced schemas until every remaining one is referenced."""
    while unused := schemas.keys() - {one["$ref"].rpartition("/")[2] for one in _under(whole, "$ref")}:
        for name in unused:
            del schemas[name]


@cache
def render() -> str:
    """Return the expected content of the file."""
    body = yaml.dump(to_3_1(document()), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return HEADER + body


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file, or compare it; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m gonogo_contract.export")
    parser.add_argument("--check", action="store_true", help="only compare; exit 1 where it is out of date")
    parser.add_argument(
        "--output", type=Path, default=TARGET, help="the file; beside the contract by default"
    )
    options = parser.parse_args(arguments)
    expected = render()
    if not options.check:
        options.output.write_text(expected, encoding="utf-8")
        return 0
    if options.output.is_file() and options.output.read_text(encoding="utf-8") == expected:
        return 0
    sys.stderr.write(f"{options.output} is out of date: run `python -m gonogo_contract.export`.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
