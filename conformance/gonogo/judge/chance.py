"""The probability that sampling repeats a text, from its log probabilities."""

from __future__ import annotations

from math import exp, log, log1p
from typing import TYPE_CHECKING

from gonogo.judge import reading, token_logprobs
from gonogo.judge.outcome import Stop

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.reading import Object

RIVAL = log(0.1)
"""The maximum difference in log probability between the sampled token and a counted alternative: by default servers
sample from tokens that are at least a tenth or a twentieth as likely as the best one (min_p), and from at least twenty
(top_k)."""


def measured(exchange: Exchange) -> float | None:
    """The logarithm of the maximum probability that sampling at temperature 2 produces this text. Each sampled token is
    compared only with its listed alternatives, if those are close. None if the answer has no log probabilities with
    alternatives.
    """
    try:
        entries = token_logprobs.entries(exchange)
    except Stop:
        return None
    gaps = [_gaps(entry) for entry in entries]
    # At temperature 2 a token with a quarter of the probability is sampled half as often.
    return (
        -sum(log1p(sum(exp(gap / 2) for gap in each if gap >= RIVAL)) for each in gaps) if any(gaps) else None
    )


def _gaps(entry: Object) -> list[float]:
    """The log odds of each other token relative to the sampled one; most are below 0."""
    own = token_logprobs.number(entry.get("logprob"))
    others = [
        token_logprobs.number(top.get("logprob"))
        for top in reading.objects(entry.get("top_logprobs"))
        if top.get("token") != entry.get("token")
    ]
    return [other - own for other in others if other is not None and own is not None]
