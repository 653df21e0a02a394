"""`echo`: returns the prompt, with its log probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo_server.answers.align import Aligner
from gonogo_server.answers.stream import Echo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.answers.align import Placed
    from gonogo_server.engine.base import Engine, Token


async def read_echo(
    engine: Engine, model: str, tokens: Sequence[int], text: str, top_logprobs: int | None
) -> Echo:
    """The prompt, to be returned before its answers; `top_logprobs` as in `Generation.logprobs`.

    `text` is the text of `tokens`. Raises what the engine raises.
    """
    if top_logprobs is None:
        return Echo(text)
    spelled = await engine.decode(model, tokens)
    return Echo(text, _placed(spelled, await engine.score(model, tokens, top_logprobs)))


def _placed(spelled: Sequence[bytes], scores: Sequence[Token | None]) -> tuple[Placed, ...]:
    aligner = Aligner()
    for data, score in zip(spelled, scores, strict=True):
        aligner.add(data, score)
    return aligner.rest()
