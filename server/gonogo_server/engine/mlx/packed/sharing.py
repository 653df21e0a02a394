"""How the sequences of a batch share the prompt tokens of a pass.

The oldest prompt gets most of a pass, so that it finishes first. A prompt that takes several passes leaves a part of
each to the others, the shortest first, so that a short request gets its first token during the prefill of a long one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LEFT_TO_OTHERS: Final = 4
"""Divisor: a prompt that takes several passes leaves a quarter of each to the others."""
BESIDE_A_LONG_ONE: Final = 8
"""Most prompts in prefill at a time while one of them takes several passes, that one included."""


def shares(unread: Sequence[int], most: int) -> list[int]:
    """The number of tokens that each sequence reads in the next pass: at least one, and about `most` in all prompts.

    `unread` is the number of tokens that each sequence has yet to read, the oldest sequence first.
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
    """Whether another prompt can join the prompts in prefill; `unread` as in `shares`."""
    reading = [count for count in unread if count > 1]
    if sum(reading) < most:
        return True
    return max(reading) > most and len(reading) < BESIDE_A_LONG_ONE
