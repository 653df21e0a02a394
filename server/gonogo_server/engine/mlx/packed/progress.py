"""The state of one answer across passes."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import mlx.core as mx

    from gonogo_server.engine.mlx.grammar import GrammarMask
    from gonogo_server.engine.mlx.packed.drafts import Drafts


@dataclass(slots=True, eq=False)
class Progress:
    """`tokens` are in the caches, `left` are to be read before the next one is drawn."""

    uid: int
    left: list[int]
    tokens: list[int]
    cache: list[Any]
    """What was read elsewhere of its tokens, until it has a row."""
    max_tokens: int
    sampler: Callable[[mx.array], mx.array]
    processors: list[Callable[[mx.array, mx.array], mx.array]]
    grammar: GrammarMask | None
    tells: bool
    """Whether its log probabilities are wanted."""
    end_tokens: frozenset[int]
    drafts: Drafts | None = None
    """Guesses of what follows, where they are worth trying."""
    guessed: list[int] = field(default_factory=list)
    """What the pass on its way reads beyond what was drawn."""
    generated: int = 0
    reading: bool = field(init=False)
    """Whether some of its prompt is still to be read, apart from the last token."""

    def __post_init__(self) -> None:
        self.reading = len(self.left) > 1

    def begin(self) -> list[tuple[int, str | None]]:
        """The tokens that its grammar begins with, each with the reason why it is the last, if it is."""
        return self._forced()

    def take(self, token: int) -> list[tuple[int, str | None]]:
        """Go on with a token that was drawn: it, and those that follow it in any case, as `begin` has them."""
        taken = [self._counted(token)]
        if taken[0][1] is None and self.grammar is not None:
            self.grammar.advance(token)
            taken += self._forced()
        return taken

    @property
    def decoding(self) -> bool:
        """Whether all that is left to be read is the token that was drawn."""
        return len(self.left) == 1 and not self.reading

    def can_guess(self, least: float) -> bool:
        """Whether there is a guess of what follows that token, and so much of the latest ones was right."""
        return self.drafts is not None and bool(self.drafts.guess(self._room, least))

    def guess(self) -> None:
        """Have what probably follows read along."""
        if self.drafts is not None:
            self.guessed = self.drafts.guess(self._room)
            self.left += self.guessed

    @property
    def _room(self) -> int:
        """Tokens that it may have behind the one that is drawn next."""
        return self.max_tokens - self.generated - 1

    def verify(self, drawn: list[int]) -> list[tuple[int, str | None]]:
        """Go on with what was drawn behind the token before the guess, and after each of its tokens, while they agree.

        What was guessed wrong is forgotten: it is written over in the caches.
        """
        taken: list[tuple[int, str | None]] = []
        right = 0
        for token, guess in zip_longest(drawn, self.guessed):
            taken.append(self._counted(token))
            if token != guess:
                break
            # It was read already.
            self.left.pop()
            right += 1
            if taken[-1][1] is not None:
                break
        del self.tokens[len(self.tokens) - (len(self.guessed) - right) :]
        self.guessed = []
        return taken

    def _forced(self) -> list[tuple[int, str | None]]:
        # Whose log probabilities are wanted has all its tokens drawn.
        if self.grammar is None or self.tells:
            return []
        taken = [self._counted(token) for token in self.grammar.forced(self.max_tokens - self.generated)]
        if self.grammar.ended and (not taken or taken[-1][1] is None):
            taken.append(self._counted(min(self.end_tokens)))
        return taken

    def _counted(self, token: int) -> tuple[int, str | None]:
        self.generated += 1
        self.left.append(token)
        if self.drafts is not None:
            self.drafts.see(token)
        if token in self.end_tokens:
            return token, "stop"
        return token, "length" if self.generated >= self.max_tokens else None
