"""Keeps the items that an iterator yields before it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from gonogo_server.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Iterable

Item = TypeVar("Item")


def until_failure(items: Iterable[Item]) -> tuple[list[Item], ServerError | None]:
    """The items before a failure, and the failure."""
    good: list[Item] = []
    try:
        for item in items:  # list.extend would keep no item if a later one fails
            good.append(item)  # noqa: PERF402
    except ServerError as error:
        return good, error
    return good, None
