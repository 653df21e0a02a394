"""The results of Schemathesis's own checks on generated requests, computed before judging."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange

    Opinions = Mapping[str, str | None]
    """The complaint of each check by its name; None if it has none. Checks that do not apply are absent."""

_KNOWN: WeakKeyDictionary[Exchange, Opinions] = WeakKeyDictionary()


def remember(exchange: Exchange, opinions: Opinions) -> None:
    """Keep the result for an exchange."""
    _KNOWN[exchange] = opinions


def remembered(exchange: Exchange) -> Opinions | None:
    """The result for an exchange; None if the check did not run."""
    return _KNOWN.get(exchange)
