"""From a prompt to an answer, a step at a time, so that the thread can turn to others between steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import mlx.core as mx

from gonogo_server.engine.base import Piece
from gonogo_server.engine.mlx.api import make_prompt_cache
from gonogo_server.engine.mlx.device import on_cpu
from gonogo_server.engine.mlx.sampler import Sampler

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from gonogo_server.engine.base import Generation
    from gonogo_server.engine.mlx.load import Loaded

PREFILL_CPU, PREFILL_GPU = 64, 512
"""Tokens of a prompt that one step takes in.

Nothing else runs, and nothing is stopped, until a step is done. On two cores 32 to 512 tokens a step come to the
same 130 tokens a second (SmolLM2-135M in float32); a GPU needs larger steps to be busy.
"""


def answer(loaded: Loaded, generation: Generation) -> Generator[Piece | None, None, None]:
    """A piece for each token, `max_tokens` at most; None after a step that took in some of the prompt."""
    text = loaded.text
    limit = generation.max_tokens
    stream = text.stream()
    tokens = _tokens(loaded.model, generation.prompt, limit, Sampler(generation.sampling))
    count = 0
    try:
        for token in tokens:
            if token is None:
                yield None
                continue
            count += 1
            if token in text.end_tokens:
                yield Piece("", 1, "stop")
                return
            yield Piece(stream(token), 1, "length" if count == limit else None)
    finally:
        tokens.close()
        # Not under work in flight: that has brought macOS down (ml-explore/mlx-lm#883).
        mx.synchronize()
        mx.clear_cache()


def _tokens(
    model: Callable[..., mx.array], prompt: Sequence[int], limit: int, sample: Sampler
) -> Generator[int | None, None, None]:
    """Up to `limit` tokens, drawn one ahead of the one that is given out, so that the device never waits."""
    cache = make_prompt_cache(model)

    def step(tokens: mx.array) -> mx.array:
        drawn = sample(model(tokens[None], cache=cache)[:, -1, :])
        mx.async_eval(drawn)  # type: ignore[no-untyped-call]  # mlx is typed in part
        return drawn

    ids = mx.array(list(prompt))
    chunk = PREFILL_CPU if on_cpu() else PREFILL_GPU
    while ids.size > 1:
        part = min(chunk, ids.size - 1)
        model(ids[None, :part], cache=cache)
        mx.eval([layer.state for layer in cache])
        ids = ids[part:]
        yield None
    token = step(ids)
    for ahead in range(limit, 0, -1):
        following = step(token) if ahead > 1 else None
        yield cast("int", token.item())
        if following is not None:
            token = following
