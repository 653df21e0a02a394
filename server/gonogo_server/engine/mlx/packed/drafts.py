"""Prompt lookup decoding: draft tokens copied from earlier text, for answers that extract, correct or repeat it.

A draft needs no second model. One pass reads it together with the token before it, and accepts its tokens up to the
first that differs from what the model samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

NGRAM: Final = 3
"""Number of tokens that are looked up in the earlier text."""
MOST: Final = 2
"""Most tokens of a draft: with the token before them a pass reads three (see `pace` for the cost)."""
START: Final = 0.5
"""The acceptance rate assumed at first."""
LATEST: Final = 0.3
"""Weight of the latest token in the moving average of the acceptance rate."""


class Drafts:
    """The drafts of one sequence, which begins with `tokens`."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self._tokens: list[int] = []
        self._followed: dict[tuple[int, ...], int] = {}
        """The index of the token after the latest occurrence of each n-gram."""
        self._place: int | None = None
        self._accepted = START
        for token in tokens:
            self._append(token)

    def observe(self, token: int) -> None:
        """Append a token that the model sampled, and update the acceptance rate, whether or not a draft was tried."""
        if self._place is not None:
            self._accepted += LATEST * ((self._tokens[self._place] == token) - self._accepted)
        self._append(token)

    def propose(self, most: int, required: float = 0.0) -> list[int]:
        """At most `most` draft tokens; none without a match, or if the acceptance rate is below `required`."""
        if self._place is None or self._accepted < required or most < 1:
            return []
        return self._tokens[self._place : self._place + min(most, MOST)]

    def _append(self, token: int) -> None:
        self._tokens.append(token)
        last = tuple(self._tokens[-NGRAM:])
        self._place = self._followed.get(last) if len(last) == NGRAM else None
        self._followed[last] = len(self._tokens)
