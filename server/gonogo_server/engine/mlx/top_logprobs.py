"""Log probabilities of an answer: those of the sampled token and of the most likely alternatives."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import mlx.core as mx

from gonogo_server.engine.base import Alternative, Token

if TYPE_CHECKING:
    from collections.abc import Callable

FLOOR = -9999.0
"""The log probability of impossible tokens (OpenAI API reference, `logprob`), because JSON has no infinity."""


def token(logprobs: mx.array, chosen: int, top_logprobs: int, spell: Callable[[int], bytes]) -> Token:
    """The chosen token and the `top_logprobs` most likely ones; `logprobs` has the shape [vocabulary].

    Only these values are copied from the device. `spell` returns the bytes of a token.
    """
    values = _top(logprobs, top_logprobs)
    return Token(
        Alternative(chosen, spell(chosen), _finite(cast("float", logprobs[chosen].item()))),
        tuple(Alternative(one, spell(one), _finite(value)) for one, value in values),
    )


def _top(logprobs: mx.array, count: int) -> list[tuple[int, float]]:
    if not count:
        return []
    ids = mx.argpartition(-logprobs, kth=count - 1)[:count]
    values = logprobs[ids].astype(mx.float32)
    pairs = zip(cast("list[int]", ids.tolist()), cast("list[float]", values.tolist()), strict=True)
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def _finite(value: float) -> float:
    return max(value, FLOOR)
