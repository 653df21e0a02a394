"""The prompts of a completion for an engine, from texts or token ids, perhaps with a suffix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo_server.errors import BadRequest, TooLong
from gonogo_server.requests.token_ids import prompt_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_server.engine.base import Engine, ModelCard


@dataclass(frozen=True, slots=True)
class Prompt:
    """The prompt of an answer: its token ids (at least one) and its text."""

    tokens: tuple[int, ...]
    text: str


async def read_prompt(engine: Engine, card: ModelCard, given: str | Sequence[int], suffix: str) -> Prompt:
    """A prompt; the answer stands between it and `suffix`, which may be "".

    Raises `BadRequest` for ids outside the vocabulary, for a text without tokens, for a suffix if the model does not
    support infilling, and for a prompt longer than the context.
    """
    try:
        return await _read(engine, card, given, suffix)
    except TooLong as error:
        raise error.about("prompt") from None


async def _read(engine: Engine, card: ModelCard, given: str | Sequence[int], suffix: str) -> Prompt:
    if not isinstance(given, str) and len(given) > card.context_length:
        raise TooLong(card.context_length, len(given))
    text = given if isinstance(given, str) else await _text(engine, card, given)
    if suffix:
        return Prompt(await engine.infill_prompt(card.id, text, suffix), text)
    if not isinstance(given, str):
        return Prompt(tuple(given), text)
    tokens = await engine.encode(card.id, text)
    if not tokens:
        raise BadRequest(
            "The model does not support an empty prompt: send at least one character.",
            param="prompt",
            code="invalid_value",
        )
    return Prompt(tokens, text)


async def _text(engine: Engine, card: ModelCard, ids: Sequence[int]) -> str:
    return b"".join(await engine.decode(card.id, prompt_ids(card, ids))).decode(errors="replace")
