"""Numbers of choices and of vectors, from 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def indexes(found: Sequence[object]) -> tuple[list[int], str]:
    """The index of each entry, and the name of the rule that the given ones break, "" if they are right.

    Entries without an index, numbered from 1, or with duplicate indexes are numbered in their order.
    """
    numbers = [index for index in found if type(index) is int]
    places = list(range(len(found)))
    if len(numbers) != len(found):
        return places, "index"
    if sorted(numbers) == places:
        return numbers, ""
    if sorted(number - 1 for number in numbers) == places:
        return [number - 1 for number in numbers], "indexes"
    return places, "indexes"
