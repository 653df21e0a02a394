"""The token probabilities of the scripted engine: invented, but deterministic and a proper distribution.

At every position the expected token has a logit of 8. Some letters have logits from 4 downwards in steps of an eighth;
every other token of the vocabulary has -4. Biases are added, penalties subtracted, and the log probabilities are those
of the softmax over the vocabulary, so that the probabilities add up to 1. Among equal ones the lower id comes first.
With a grammar, the softmax is over the allowed tokens only.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from gonogo_server.engine.base import Sampling

LETTERS: Final = b" etaoinshrdlucmfwypvbgkjxqz"
"""The most likely tokens after the expected one, in this order: more than a request may ask for."""

EXPECTED: Final = 8.0
FIRST_LETTER: Final = 4.0
STEP: Final = 0.125
OTHERS: Final = -4.0
IMPOSSIBLE: Final = -9999.0
LARGEST: Final = 700.0
"""What a double still holds the exponential of, and of its negative."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Log probabilities at one position: those of the `ranked` tokens, and the value that all `others` share."""

    ranked: tuple[tuple[int, float], ...]
    """Token ids with their log probabilities, the most likely first."""
    others: float

    @property
    def first(self) -> int:
        """The most likely token."""
        return self.ranked[0][0]

    def logprob(self, token: int) -> float:
        """The log probability of any token."""
        return dict(self.ranked).get(token, self.others)


def distribution(
    expected: int,
    vocabulary: int,
    sampling: Sampling,
    counts: Mapping[int, int],
    allowed: frozenset[int] | None = None,
) -> Distribution:
    """The distribution at a position where `expected` is the scripted token.

    `counts` says how often each token has occurred in the answer. If only some tokens are `allowed`, the others are
    impossible.
    """
    logits = {token: FIRST_LETTER - STEP * place for place, token in enumerate(LETTERS)}
    logits[expected] = EXPECTED
    for token, bias in sampling.logit_bias:
        logits[token] = logits.get(token, OTHERS) + bias
    for token, times in counts.items():
        penalty = sampling.presence_penalty + sampling.frequency_penalty * times
        logits[token] = logits.get(token, OTHERS) - penalty
    if allowed is not None:
        possible = {token: logit for token, logit in logits.items() if token in allowed}
        return _among(possible, allowed, impossible=[token for token in logits if token not in allowed])
    total = _log_total(logits.values(), vocabulary - len(logits))
    ranked = sorted(logits.items(), key=lambda pair: (-pair[1], pair[0]))
    return Distribution(tuple((token, logit - total) for token, logit in ranked), OTHERS - total)


def _among(logits: Mapping[int, float], allowed: frozenset[int], impossible: Sequence[int]) -> Distribution:
    total = _log_total(logits.values(), len(allowed) - len(logits))
    everything = dict.fromkeys(allowed, OTHERS) | dict(logits)
    ranked = sorted(everything.items(), key=lambda pair: (-pair[1], pair[0]))
    possible = [(token, logit - total) for token, logit in ranked]
    return Distribution((*possible, *((token, IMPOSSIBLE) for token in impossible)), IMPOSSIBLE)


def _log_total(logits: Collection[float], others: int) -> float:
    """The logarithm of the sum of all exponentials; `others` more tokens have the logit `OTHERS`.

    Penalties of a long answer move logits by thousands, so that exponentials could overflow, or all be zero.
    """
    everything = [*logits, *([OTHERS] if others else [])]
    highest = max(everything)
    shift = highest if abs(highest) > LARGEST else 0.0
    rest = others * exp(OTHERS - shift) if others else 0.0
    return shift + log(sum(exp(logit - shift) for logit in logits) + rest)
