"""The intended differences and their reasons, from intended.yaml next to this module."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from gonogo_contract.source import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_contract.drift.compare import Difference

FILE = Path(__file__).with_name("intended.yaml")


@dataclass(frozen=True, slots=True)
class Intention:
    """A pattern for differences ("WHERE: FACET", where * stands for any text) and the reason why they are intended."""

    pattern: str
    reason: str

    def covers(self, difference: Difference) -> bool:
        """Return whether the difference matches one of the patterns."""
        # Not fnmatch: it would read the brackets of a path as character classes.
        expression = re.escape(self.pattern).replace(r"\*", ".*")
        return re.fullmatch(expression, str(difference)) is not None


class UnusableReasonsError(Exception):
    """The file of intentions cannot be used; the message is the reason in one sentence."""


def read(file: Path = FILE) -> list[Intention]:
    """Read a file of intentions: a list of {reason, differences: [pattern]}. Raises UnusableReasonsError."""
    try:
        entries = parse(file.read_text(encoding="utf-8")) or []
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UnusableReasonsError(
            f"{file} cannot be read as YAML: give a file like intended.yaml."
        ) from error
    match entries:
        case [*_] if all(map(_is_entry, entries)):
            return [Intention(each, one["reason"]) for one in entries for each in one["differences"]]
    raise UnusableReasonsError(
        f"{file} must be a list of entries, each with a reason and a list of differences."
    )


def _is_entry(entry: object) -> bool:
    match entry:
        case {"reason": str(), "differences": [*patterns], **others}:
            return not others and all(isinstance(pattern, str) for pattern in patterns)
    return False


def judge(
    differences: Sequence[Difference], intentions: Sequence[Intention]
) -> tuple[list[tuple[Difference, Intention | None]], list[Intention]]:
    """Return each difference with the first intention that covers it, and the intentions that cover no difference."""
    judged = [
        (difference, next((one for one in intentions if one.covers(difference)), None))
        for difference in differences
    ]
    stale = [one for one in intentions if not any(map(one.covers, differences))]
    return judged, stale
