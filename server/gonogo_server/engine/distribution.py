"""The probabilities that the scripted engine gives to tokens: made up, but a distribution, and the same every time.

At every place one token is expected, with a logit of 8. Some letters follow it, with logits from 4 downwards in
steps of an eighth; every other token of the vocabulary has -4. Biases are added, penalties subtracted, and the
log probabilities are those of the softmax over all of it, so they add up. Of equal ones the lower id comes first.
Where a grammar allows some tokens only, the softmax is over those.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonogo_server.engine.base import Sampling

LETTERS: Final = b" etaoinshrdlucmfwypvbgkjxqz"
"""The tokens that come next to the expected one, the likeliest first: more than anybody may ask for."""

EXPECTED: Final = 8.0
FIRST_LETTER: Final = 4.0
STEP: Final = 0.125
OTHERS: Final = -4.0
IMPOSSIBLE: Final = -9999.0


@dataclass(frozen=True, slots=True)
class Distribution:
    """Log probabilities at one place: of the tokens that stand out, and the one that all others have."""

    ranked: tuple[tuple[int, float], ...]
    """Ids with their log probability, the likeliest first."""
    others: float

    @property
    def first(self) -> int:
        """The likeliest token."""
        return self.ranked[0][0]

    def logprob(self, token: int) -> float:
        """Of any token."""
        return dict(self.ranked).get(token, self.others)


def distribution(
    expected: int,
    vocabulary: int,
    sampling: Sampling,
    said: Mapping[int, int],
    allowed: frozenset[int] | None = None,
) -> Distribution:
    """What may come where `expected` is, after an answer with each token of `said` so many times.

    Where only some tokens are `allowed`, the others are impossible.
    """
    logits = {token: FIRST_LETTER - STEP * place for place, token in enumerate(LETTERS)}
    logits[expected] = EXPECTED
    for token, bias in sampling.logit_bias:
        logits[token] = logits.get(token, OTHERS) + bias
    for token, times in said.items():
        penalty = sampling.presence_penalty + sampling.frequency_penalty * times
        logits[token] = logits.get(token, OTHERS) - penalty
    if allowed is not None:
        possible = {token: logit for token, logit in logits.items() if token in allowed}
        return _among(possible, allowed, impossible=[token for token in logits if token not in allowed])
    total = sum(exp(logit) for logit in logits.values()) + (vocabulary - len(logits)) * exp(OTHERS)
    ranked = sorted(logits.items(), key=lambda pair: (-pair[1], pair[0]))
    return Distribution(tuple((token, logit - log(total)) for token, logit in ranked), OTHERS - log(total))


def _among(logits: Mapping[int, float], allowed: frozenset[int], impossible: Sequence[int]) -> Distribution:
    total = sum(exp(logit) for logit in logits.values()) + (len(allowed) - len(logits)) * exp(OTHERS)
    everything = dict.fromkeys(allowed, OTHERS) | dict(logits)
    ranked = sorted(everything.items(), key=lambda pair: (-pair[1], pair[0]))
    possible = [(token, logit - log(total)) for token, logit in ranked]
    return Distribution((*possible, *((token, IMPOSSIBLE) for token in impossible)), IMPOSSIBLE)
