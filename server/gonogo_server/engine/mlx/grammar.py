"""Grammars: the tokens that may continue an answer, by llguidance, as a mask over the logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

import mlx.core as mx
import numpy as np

from gonogo_server.errors import BadRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from llguidance import LLMatcher

Result = TypeVar("Result")

BITS = 32
"""Tokens in a word of llguidance's mask; the lowest bit is the first of them."""


class GrammarMask:
    """Makes every token impossible that the grammar has no place for; see `logits` for how it is called.

    The token before has to be known here, so that each step of such an answer waits for the one before it
    (llguidance has a kernel for Metal only; the packed mask is applied with plain operations everywhere).
    """

    def __init__(self, matcher: LLMatcher) -> None:
        self._matcher = matcher
        self._begun = False
        self.failure: BadRequest | RuntimeError | None = None
        """Why the grammar cannot be followed any further; the logits come through as they are from then on."""

    def __call__(self, tokens: mx.array, logits: mx.array) -> mx.array:
        """The logits, minus infinity where the grammar does not allow the token."""
        return self._try(lambda: self._masked(tokens, logits), logits)

    def advance(self, token: int) -> None:
        """Go on behind a token that was drawn."""
        self._try(lambda: self._matcher.consume_token(token), None)

    def forced(self, most: int) -> list[int]:
        """The next tokens, `most` at most, where the grammar leaves no choice; it continues behind them.

        They are those that the tokenizer makes of the text that is certain, but for the last ones, where what
        follows may become one with them.
        """
        return self._try(lambda: self._force(most), [])

    @property
    def ended(self) -> bool:
        """Whether nothing can follow any more but an end token."""
        return self._try(self._matcher.is_stopped, False) and self.failure is None  # noqa: FBT003 - in place of it

    def masked(self, logits: mx.array) -> mx.array:
        """The logits for what follows, minus infinity where the grammar does not allow the token."""
        return self._try(lambda: self._mask(logits), logits)

    def _force(self, most: int) -> list[int]:
        tokens = self._matcher.compute_ff_tokens()[:most] if most > 0 else []
        if tokens:
            self._matcher.consume_tokens(tokens)
        return tokens

    def _try(self, work: Callable[[], Result], otherwise: Result) -> Result:
        if self.failure is not None:
            return otherwise
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - it may not get into the batch: see `logits`
            self.failure = RuntimeError(f"The grammar cannot be followed: {error!r}")
            return otherwise

    def _masked(self, tokens: mx.array, logits: mx.array) -> mx.array:
        if self._begun:
            self._matcher.consume_token(cast("int", tokens[-1].item()))
        self._begun = True
        return self._mask(logits)

    def _mask(self, logits: mx.array) -> mx.array:
        if self._matcher.is_error():
            # What llguidance says is the state of its parser.
            self.failure = BadRequest(
                "The grammar of the schema in this request cannot continue the answer: make the schema "
                "smaller.",
                code="invalid_json_schema",
            )
            return logits
        # Where nothing can follow, and after the end token, too (one more step is computed that nobody will see),
        # the mask allows the end tokens only.
        packed = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint32)
        allowed = (mx.array(packed)[:, None] >> mx.arange(BITS, dtype=mx.uint32)) & 1
        return mx.where(_fitted(allowed.reshape(-1), logits.shape[-1]), logits, -mx.inf)


def _fitted(allowed: mx.array, vocabulary: int) -> mx.array:
    """As many as the model has logits; those beyond the tokenizer's vocabulary are never allowed."""
    missing = max(0, vocabulary - allowed.size)
    return mx.pad(allowed, (0, missing))[:vocabulary].astype(mx.bool_)
