"""Good and bad examples for rules: excerpts of answers, made from the faults that prove the rule.

`examples.json` holds one entry per rule: an object with the fields of `Example`, or the reason why there is no
example, as a sentence. tasks/generate_examples.py writes it.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "examples.json"


@dataclass(frozen=True, slots=True)
class Example:
    """An answer that passes a rule, and the same answer with a fault that breaks the rule.

    `asked` is the key of the request, truncated if it is long. `good` and `bad` are excerpts of at most 300 characters,
    with "…" for omitted text. `fault` describes the behaviour of the broken server, and `imitates` the servers with it,
    or its consequence. `expected` and `actual` are from the judgement.
    """

    asked: str
    good: str
    bad: str
    fault: str
    imitates: str
    expected: str
    actual: str


@functools.cache
def examples() -> Mapping[str, Example | str]:
    """The example of each rule by id, or the reason why it has none, as a sentence."""
    text = (resources.files(__package__) / FILE).read_text(encoding="utf-8")
    return {
        rule_id: entry if isinstance(entry, str) else Example(**entry)
        for rule_id, entry in json.loads(text).items()
    }
