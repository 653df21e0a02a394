"""Passes are shared so that a short prompt does not wait for the end of a long one."""

from __future__ import annotations

import pytest
from gonogo_server.engine.mlx.packed.sharing import has_room, shares


@pytest.mark.parametrize(
    ("unread", "given"),
    [
        ([1, 1], [1, 1]),
        ([30], [30]),
        ([1500], [64]),
        # The short one is read at once, in the quarter that the long one leaves.
        ([1500, 10], [54, 10]),
        ([1, 1500, 1, 10], [1, 54, 1, 10]),
        # Of the others the shortest first, and one token each.
        ([1500, 1400, 12], [48, 4, 12]),
        ([1500, 1400, 16, 9], [48, 1, 7, 9]),
        # Tokens that a grammar forces on the oldest one are few: the short prompt comes before the long one.
        ([5, 1500, 20], [5, 39, 20]),
        # Prompts that fit into a pass are read in one.
        ([20, 20, 20], [20, 20, 20]),
    ],
)
def test_a_pass_reads_the_oldest_prompt_and_leaves_a_part_to_shorter_ones(
    unread: list[int], given: list[int]
) -> None:
    assert shares(unread, 64) == given


@pytest.mark.parametrize(
    ("unread", "room"),
    [
        ([], True),
        ([1, 1, 1], True),
        ([60], True),
        ([1500], True),
        ([1500] * 7, True),
        # As many prompts as are read at a time beside a long one.
        ([1500] * 8, False),
        # They fill the next pass, and end with it.
        ([40, 40], False),
    ],
)
def test_prompts_join_while_a_long_one_is_read(unread: list[int], *, room: bool) -> None:
    assert has_room(unread, 64) is room


def test_every_prompt_is_read_to_its_end() -> None:
    unread = [700, 650, 3, 90, 1, 64, 200, 2]
    passes = 0
    while any(count > 1 for count in unread):
        unread = [max(1, left - read) for left, read in zip(unread, shares(unread, 64), strict=True)]
        passes += 1
    assert passes <= 30
