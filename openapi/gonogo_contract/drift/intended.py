"""The differences that are meant, with their reasons: intended.yaml beside this module."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gonogo_contract.source import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gonogo_contract.drift.compare import Difference

FILE = Path(__file__).with_name("intended.yaml")


@dataclass(frozen=True, slots=True)
class Intention:
    """A pattern for differences ("WHERE: FACET", where * stands for any text) and why they are meant."""

    pattern: str
    reason: str

    def covers(self, difference: Difference) -> bool:
        """Tell whether the difference is one of those meant."""
        # Not fnmatch: the brackets of a path would be character classes there.
        expression = re.escape(self.pattern).replace(r"\*", ".*")
        return re.fullmatch(expression, str(difference)) is not None


def read(file: Path = FILE) -> list[Intention]:
    """Read a file of intentions: a list of {reason, differences: [pattern]}."""
    return list(_intentions(parse(file.read_text(encoding="utf-8")) or []))


def _intentions(entries: Iterable[dict[str, object]]) -> Iterator[Intention]:
    for entry in entries:
        patterns = entry["differences"]
        assert isinstance(patterns, list)
        for pattern in patterns:
            yield Intention(pattern, str(entry["reason"]))


def judge(
    differences: Sequence[Difference], intentions: Sequence[Intention]
) -> tuple[list[tuple[Difference, Intention | None]], list[Intention]]:
    """Return each difference with the first intention that covers it, and the intentions that cover none."""
    judged = [
        (difference, next((one for one in intentions if one.covers(difference)), None))
        for difference in differences
    ]
    stale = [one for one in intentions if not any(map(one.covers, differences))]
    return judged, stale
