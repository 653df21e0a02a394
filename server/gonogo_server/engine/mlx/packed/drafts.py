"""Prompt lookup: draft tokens from earlier text, because answers that extract, correct or repeat copy it.

A guess costs no model. It is read together with the token before it, and kept as far as the model draws the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

ALIKE: Final = 3
"""Tokens that must have stood together before."""
MOST: Final = 2
"""Tokens of a guess: with the one before them a pass reads three (see `pace` for what that costs)."""
START: Final = 0.5
LATEST: Final = 0.3
"""What the latest guess counts."""


class Drafts:
    """The guesses of one sequence, which begins with `tokens`."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self._tokens: list[int] = []
        self._followed: dict[tuple[int, ...], int] = {}
        """Where the tokens stand that followed those."""
        self._place: int | None = None
        self._right = START
        for token in tokens:
            self._append(token)

    def see(self, token: int) -> None:
        """Learn what the model drew, and whether that was what would have been guessed, tried or not."""
        if self._place is not None:
            self._right += LATEST * ((self._tokens[self._place] == token) - self._right)
        self._append(token)

    def guess(self, most: int, least: float = 0.0) -> list[int]:
        """The next tokens, `most` at most; none without a guess, or where less than `least` of the latest was right."""
        if self._place is None or self._right < least or most < 1:
            return []
        return self._tokens[self._place : self._place + min(most, MOST)]

    def _append(self, token: int) -> None:
        self._tokens.append(token)
        last = tuple(self._tokens[-ALIKE:])
        self._place = self._followed.get(last) if len(last) == ALIKE else None
        self._followed[last] = len(self._tokens)
