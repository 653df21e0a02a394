"""The compiled feature files: Gherkin takes a tenth of a second to load and parse, JSON a few milliseconds.

`rules.json` holds for each feature file the SHA-256 of its text and its scenarios. A file that was changed since then
is parsed again, so that outdated rules are never used. tasks/generate_rules.py writes it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, asdict, fields
from importlib import resources
from typing import TYPE_CHECKING, Any

from gonogo.rules.written import Written, read_feature
from gonogo.verdict import Level

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

FILE = "rules.json"


def feature_files() -> Iterator[tuple[str, list[Written]]]:
    """The name of each feature file and its scenarios, in the order of the names.

    Raises FeatureError if a changed file is malformed.
    """
    compiled = _compiled()
    for file in _files():
        text = file.read_text(encoding="utf-8")
        known = compiled.get(file.name)
        if known is not None and known["sha256"] == _sha256(text):
            yield file.name, [_written(entry) for entry in known["scenarios"]]
        else:
            yield file.name, read_feature(text, file.name)


def text_of_all() -> str:
    """The text of `rules.json` for the current feature files."""
    read = {file.name: file.read_text(encoding="utf-8") for file in _files()}
    found = {
        name: {
            "sha256": _sha256(text),
            "scenarios": [_plain(entry) for entry in read_feature(text, name)],
        }
        for name, text in read.items()
    }
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _plain(entry: Written) -> dict[str, Any]:
    """An entry as JSON; members at their defaults are omitted."""
    usual = {field.name: field.default for field in fields(entry) if field.default is not MISSING}
    return {name: value for name, value in asdict(entry).items() if name not in usual or value != usual[name]}


def _files() -> list[Traversable]:
    folder = resources.files("gonogo") / "features"
    return sorted(
        (file for file in folder.iterdir() if file.name.endswith(".feature")), key=lambda file: file.name
    )


def _compiled() -> dict[str, Any]:
    """The generated file; empty if it does not exist yet."""
    file = resources.files(__package__) / FILE
    known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return known


def _written(entry: dict[str, Any]) -> Written:
    return Written(
        **{
            **entry,
            "level": Level(entry["level"]),
            "needs": tuple(entry["needs"]),
            "steps": tuple(entry["steps"]),
        }
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
