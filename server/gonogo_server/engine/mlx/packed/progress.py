"""The state of one answer between passes."""

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
    """`tokens` are in the caches; `left` has to be read before the next token is sampled."""

    uid: int
    left: list[int]
    tokens: list[int]
    cache: list[Any]
    """Keys and values of a cached prefix, until the sequence gets a row."""
    max_tokens: int
    sampler: Callable[[mx.array], mx.array]
    processors: list[Callable[[mx.array, mx.array], mx.array]]
    grammar: GrammarMask | None
    wants_logprobs: bool
    """Whether the request asks for log probabilities."""
    end_tokens: frozenset[int]
    drafts: Drafts | None = None
    """The source of draft tokens; None if the sequence takes no drafts."""
    draft: list[int] = field(default_factory=list)
    """The draft tokens that the current pass verifies."""
    generated: int = 0
    reading: bool = field(init=False)
    """Whether the sequence is in prefill: more than the last token of its prompt is unread."""

    def __post_init__(self) -> None:
        self.reading = len(self.left) > 1

    def begin(self) -> list[tuple[int, str | None]]:
        """The tokens that the grammar forces at the start, each with its finish reason, None if more tokens follow."""
        return self._forced()

    def take(self, token: int) -> list[tuple[int, str | None]]:
        """Append a sampled token; return it and the tokens that the grammar forces after it, in the form of `begin`."""
        taken = [self._counted(token)]
        if taken[0][1] is None and self.grammar is not None:
            self.grammar.advance(token)
            taken += self._forced()
        return taken

    @property
    def decoding(self) -> bool:
        """Whether only the sampled token is left to be read."""
        return len(self.left) == 1 and not self.reading

    def has_draft(self, required: float) -> bool:
        """Whether there is a draft after the sampled token, and recent ones had the `required` acceptance rate."""
        return self.drafts is not None and bool(self.drafts.propose(self._room, required))

    def add_draft(self) -> None:
        """Add draft tokens to those that the next pass reads."""
        if self.drafts is not None:
            self.draft = self.drafts.propose(self._room)
            self.left += self.draft

    @property
    def _room(self) -> int:
        """The number of tokens that may follow the one that is sampled next."""
        return self.max_tokens - self.generated - 1

    def verify(self, drawn: list[int]) -> list[tuple[int, str | None]]:
        """Append the tokens sampled before and after each draft token, up to the first that differs from the draft.

        Returns them in the form of `begin`. Rejected draft tokens are dropped; later tokens overwrite them in the
        caches.
        """
        taken: list[tuple[int, str | None]] = []
        accepted = 0
        for token, proposed in zip_longest(drawn, self.draft):
            taken.append(self._counted(token))
            if token != proposed:
                break
            # This pass has read it already.
            self.left.pop()
            accepted += 1
            if taken[-1][1] is not None:
                break
        del self.tokens[len(self.tokens) - (len(self.draft) - accepted) :]
        self.draft = []
        return taken

    def _forced(self) -> list[tuple[int, str | None]]:
        # Log probabilities need every token to be sampled.
        if self.grammar is None or self.wants_logprobs:
            return []
        taken = [self._counted(token) for token in self.grammar.forced(self.max_tokens - self.generated)]
        if self.grammar.ended and (not taken or taken[-1][1] is None):
            taken.append(self._counted(min(self.end_tokens)))
        return taken

    def _counted(self, token: int) -> tuple[int, str | None]:
        self.generated += 1
        self.left.append(token)
        if self.drafts is not None:
            self.drafts.observe(token)
        if token in self.end_tokens:
            return token, "stop"
        return token, "length" if self.generated >= self.max_tokens else None
