"""Detects a text that is too long for a model before tokenizing all of it: megabytes take seconds. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.errors import TooLong

if TYPE_CHECKING:
    from collections.abc import Callable

PART: Final = 2**15
"""Characters that are read at once."""

CUT: Final = 256
"""Tokens that a cut may add at most: a word that is one unknown token as a whole may be many in two parts."""


def check_length(text: str, context_length: int, count: Callable[[str], int]) -> None:
    """Raise `TooLong` if a text is sure to have more than `context_length` tokens, by parts from its beginning.

    `count` says how many tokens a part has. A text of one part passes: reading it is as fast.
    """
    if len(text) <= PART:
        return
    tokens = 0
    for begin in range(0, len(text), PART):
        tokens += count(text[begin : begin + PART]) - CUT
        if tokens > context_length:
            raise TooLong(context_length)
