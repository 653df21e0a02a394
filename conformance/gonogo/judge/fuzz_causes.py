"""Groups deviations of generated requests into causes, each shown by its smallest request."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Deviation

_VARYING = re.compile(r"""\d+|"(?:\\.|[^"\\])*"|'[^']*'""")
_REPEATED = re.compile(r"[{\[\n].*", re.DOTALL)
_TOLD = 120
LIMIT = {"max_tokens"}


@dataclass(frozen=True, slots=True)
class Defect:
    """A deviation of one exchange; `cause` is equal for failures of the same kind."""

    exchange: Exchange
    deviation: Deviation
    cause: str

    @property
    def fields(self) -> frozenset[str]:
        """The fields of the request's body; none if it is not an object."""
        return frozenset(self.exchange.request.fields)


def cause(*parts: object) -> str:
    """An id of the failure, without numbers and quoted words, which depend on the request."""
    return " ".join(_VARYING.sub("…", str(part))[:_TOLD] for part in parts)


def words(message: str) -> str:
    """The beginning of an error's message, up to a quotation from the request."""
    return _REPEATED.sub("", message)


def smallest(defects: Iterable[Defect]) -> list[Defect]:
    """One defect for each cause, with the smallest request that shows it; sorted by size.

    Of two with the same cause, one explains the other if the other has all its fields and more, except the token limit,
    which nearly every request has.
    """
    alike: dict[str, list[Defect]] = defaultdict(list)
    for defect in sorted(defects, key=_size):
        known = alike[defect.cause]
        if not any(other.fields - LIMIT <= defect.fields for other in known):
            known.append(defect)
    return sorted((defect for known in alike.values() for defect in known), key=_size)


def _size(defect: Defect) -> tuple[int, str]:
    request = defect.exchange.request
    return len(request.body) + len(request.path), defect.exchange.stimulus
