"""Caches the result of reading an exchange for the lifetime of the exchange."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange

Read = TypeVar("Read")


def once(read: Callable[[Exchange], Read]) -> Callable[[Exchange], Read]:
    """A cache for a pure function of one exchange; exceptions are not cached."""
    known: WeakKeyDictionary[Exchange, Read] = WeakKeyDictionary()

    @functools.wraps(read)
    def found(exchange: Exchange) -> Read:
        try:
            return known[exchange]
        except KeyError:
            known[exchange] = value = read(exchange)
            return value

    return found
