"""Grammars: llguidance computes the tokens that may continue an answer, as a mask over the logits."""

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
"""Number of tokens in a word of llguidance's mask; the lowest bit is the first token."""


class GrammarMask:
    """A logits processor that masks all tokens that the grammar does not allow; see `logits` for the protocol.

    It needs the value of the previous token, so each step of such an answer waits for the previous step. The packed
    mask is applied with plain operations, because llguidance has a kernel for Metal only.
    """

    def __init__(self, matcher: LLMatcher) -> None:
        self._matcher = matcher
        self._started = False
        self.failure: BadRequest | RuntimeError | None = None
        """Why the grammar cannot be followed any further; from then on the logits are returned unchanged."""

    def __call__(self, tokens: mx.array, logits: mx.array) -> mx.array:
        """The logits, with minus infinity for tokens that the grammar does not allow."""
        return self._try(lambda: self._masked(tokens, logits), logits)

    def advance(self, token: int) -> None:
        """Advance the grammar by a sampled token."""
        self._try(lambda: self._matcher.consume_token(token), None)

    def forced(self, most: int) -> list[int]:
        """At most `most` next tokens that the grammar forces; advances the grammar by them.

        They are the tokenization of the forced text, without the last tokens that may merge with the text after them.
        """
        return self._try(lambda: self._force(most), [])

    @property
    def ended(self) -> bool:
        """Whether only an end token can follow."""
        return self._try(self._matcher.is_stopped, False) and self.failure is None  # noqa: FBT003 - the fallback value

    def masked(self, logits: mx.array) -> mx.array:
        """The logits for the next token, with minus infinity for tokens that the grammar does not allow."""
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
        except Exception as error:  # noqa: BLE001 - it must not reach the batch: see `logits`
            self.failure = RuntimeError(f"The grammar cannot be followed: {error!r}")
            return otherwise

    def _masked(self, tokens: mx.array, logits: mx.array) -> mx.array:
        if self._started:
            self._matcher.consume_token(cast("int", tokens[-1].item()))
        self._started = True
        return self._mask(logits)

    def _mask(self, logits: mx.array) -> mx.array:
        if self._matcher.is_error():
            # The message of llguidance is not shown: it is the state of its parser.
            self.failure = BadRequest(
                "The grammar of the schema in this request cannot continue the answer: make the schema "
                "smaller.",
                code="invalid_json_schema",
            )
            return logits
        # At the end of the grammar the mask allows only end tokens. The same holds after an end token, when one more
        # step is computed whose result is dropped.
        packed = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint32)
        allowed = (mx.array(packed)[:, None] >> mx.arange(BITS, dtype=mx.uint32)) & 1
        return mx.where(_fitted(allowed.reshape(-1), logits.shape[-1]), logits, -mx.inf)


def _fitted(allowed: mx.array, vocabulary: int) -> mx.array:
    """Pad or cut the mask to the number of logits; tokens beyond the tokenizer's vocabulary are never allowed."""
    missing = max(0, vocabulary - allowed.size)
    return mx.pad(allowed, (0, missing))[:vocabulary].astype(mx.bool_)
