"""Explains why the grammar library rejects a schema: its own messages expose internals. No I/O."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LENGTH: Final = 100
"""Characters that are quoted from the client's schema."""

TOO_MUCH: Final = "it is too large for a grammar: make it smaller, or simplify its patterns and numbers"

SENTENCES: Final[Sequence[tuple[re.Pattern[str], str]]] = tuple(
    (re.compile(pattern), sentence)
    for pattern, sentence in (
        ("^oneOf", "'oneOf' is supported only if no value matches two of its schemas; use 'anyOf'"),
        ("^Invalid type: (.*)", "'{}' is not a type"),
        ("^Unknown format: (.*)", "the format '{}' is unknown"),
        ("^Expected .* for '([^']*)'", "'{}' has a value of the wrong type"),
        ("^schema must be ", "a schema in it is neither an object nor a boolean"),
        (r"^(\$?\w+) must be an? ", "'{}' has a value of the wrong type"),
        ("^invalid multiple of", "'multipleOf' must be greater than 0"),
        ("^Value for '(.*)' has too many digits", "'{}' has too many digits"),
        ("^Invalid URI reference '([^']*)'", "the reference to '{}' does not resolve"),
        (
            "^Unsatisfiable schema: required property '(.*)' is unsatisfiable",
            "no value matches its required property '{}'",
        ),
        ("^Unsatisfiable schema", "no value can satisfy it"),
        ("^Pointer '(.*)' does not exist", "the reference to '{}' does not resolve"),
        ("^Resource '(.*)' is not present", "the reference to '{}' leads outside the schema"),
        ("look-around", "look-around in a pattern is not supported"),
        ("^lookarounds", "an anchor or a word boundary inside a pattern is not supported"),
        ("backreferences", "a back reference in a pattern is not supported"),
        ("^regex parse error", "a pattern in it is not a regular expression"),
    )
)


def explained(error: str) -> str:
    """The sentence for an error of llguidance."""
    line = " ".join(error.removeprefix("ERROR: ").split())
    if found := re.match(r"Unimplemented keys: (\[[^\]]*\])", line):
        keywords = ", ".join(f"'{keyword}'" for keyword in json.loads(found[1]))
        return f"{keywords} is not supported; remove it"
    for pattern, sentence in SENTENCES:
        if found := pattern.search(line):
            return sentence.format(*(_cut(part) for part in found.groups()))
    return TOO_MUCH


def _cut(text: str) -> str:
    return text if len(text) <= LENGTH else f"{text[:LENGTH]}…"
