"""How the sequences of a batch share the prompt tokens of a pass.

The oldest prompt is read first, so that it ends first. A prompt that takes several passes leaves a part of each to
the others, the shortest first, so that a short request gets its first token while a long prompt is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LEFT_TO_OTHERS: Final = 4
"""A prompt that takes several passes leaves a quarter of each to others."""
BESIDE_A_LONG_ONE: Final = 8
"""Prompts that are read at a time while one of them takes several passes, itself included."""


def shares(unread: Sequence[int], most: int) -> list[int]:
    """Tokens that each sequence reads in the next pass, one at least; about `most` tokens of prompts together.

    `unread` are the tokens that each has to read, the oldest sequence first.
    """
    oldest = next((place for place, count in enumerate(unread) if count > 1), None)
    if oldest is None:
        return [1] * len(unread)
    others = sum(count for place, count in enumerate(unread) if count > 1 and place != oldest)
    given = [1] * len(unread)
    given[oldest] = min(unread[oldest], most - min(others, most // LEFT_TO_OTHERS))
    left = most - given[oldest]
    for place in sorted(range(len(unread)), key=unread.__getitem__):
        if place != oldest and unread[place] > 1:
            given[place] = max(1, min(unread[place], left))
            left -= given[place]
    return given


def has_room(unread: Sequence[int], most: int) -> bool:
    """Whether another prompt can join those being read, of which these are the unread tokens, the oldest first."""
    reading = [count for count in unread if count > 1]
    if sum(reading) < most:
        return True
    return max(reading) > most and len(reading) < BESIDE_A_LONG_ONE
