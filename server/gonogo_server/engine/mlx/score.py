"""Log probabilities of an existing text, computed in parts so that other answers continue in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mlx.core as mx

from gonogo_server.engine.mlx import top_logprobs
from gonogo_server.engine.mlx.api import make_prompt_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from gonogo_server.engine.base import Token


def score(
    model: Any,  # noqa: ANN401 - mlx_lm's models have no common type
    tokens: Sequence[int],
    count: int,
    spell: Callable[[int], bytes],
    *,
    step_size: int,
) -> Generator[None, None, list[Token | None]]:
    """One entry per token, with the `count` most likely tokens of its position; None for the first token."""
    cache = make_prompt_cache(model)
    scores: list[Token | None] = [None]
    for start in range(0, len(tokens) - 1, step_size):
        part = tokens[start : start + step_size]
        logits = model(mx.array(list(part))[None], cache=cache)[0].astype(mx.float32)
        logprobs = logits - mx.logsumexp(logits, axis=-1, keepdims=True)
        following = tokens[start + 1 : start + 1 + len(part)]
        scores += [
            top_logprobs.token(row, token, count, spell)
            for row, token in zip(logprobs[: len(following)], following, strict=True)
        ]
        yield
    return scores[: len(tokens)]
