"""The prompts of a completion for an engine: from texts or token ids, with a suffix, with their text."""

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
    """What an answer follows: its token ids (at least one), and the text that they are."""

    tokens: tuple[int, ...]
    text: str


async def read_prompt(engine: Engine, card: ModelCard, given: str | Sequence[int], suffix: str) -> Prompt:
    """A prompt, between which and `suffix` (perhaps "") the answer stands.

    Raises `BadRequest` for ids that the model does not have, for a text of no tokens, for a suffix where the model
    cannot fill in the middle, and for what is longer than its context.
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
