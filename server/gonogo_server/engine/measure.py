"""Detects a text that is too long for a model without tokenizing all of it: megabytes take seconds. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.errors import TooLong

if TYPE_CHECKING:
    from collections.abc import Callable

PART: Final = 2**15
"""Number of characters that are tokenized at once."""

CUT: Final = 256
"""Most tokens that a cut can add: a word that is one unknown token may become many tokens when it is split."""


def check_length(text: str, context_length: int, count: Callable[[str], int]) -> None:
    """Raise `TooLong` if a text certainly has more than `context_length` tokens, counting part by part.

    `count` returns the number of tokens of a part. A text of a single part always passes, because counting it takes as
    long as tokenizing it.
    """
    if len(text) <= PART:
        return
    tokens = 0
    for begin in range(0, len(text), PART):
        tokens += count(text[begin : begin + PART]) - CUT
        if tokens > context_length:
            raise TooLong(context_length)
