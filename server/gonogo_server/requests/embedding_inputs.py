"""Inputs to embed as token ids, encoded from texts or as sent by the client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from gonogo_server.errors import BadRequest, TooLong
from gonogo_server.requests.token_ids import prompt_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonogo_wire import CreateEmbeddingRequest

    from gonogo_server.engine.base import Engine, ModelCard

MOST_TOKENS: Final = 300_000
"""Tokens of all inputs of a request together (OpenAI API reference, "Create embeddings", `input`)."""


async def read_inputs(engine: Engine, card: ModelCard, body: CreateEmbeddingRequest) -> list[tuple[int, ...]]:
    """The token ids of each input, in order.

    A text gets the special tokens that the model expects around it. Token ids are used unchanged, because the client
    has encoded the text. Raises `BadRequest` for ids outside the vocabulary, for an input without tokens, and for more
    tokens than the model or a request allows; nothing is truncated.
    """
    read: list[tuple[int, ...]] = []
    total = 0
    for index, given in enumerate(_inputs(body)):
        try:
            ids = await _ids(engine, card, given)
        except TooLong as error:
            raise _too_long(index, error.size, card) from None
        _check(index, len(ids), card)
        total += len(ids)
        if total > MOST_TOKENS:
            raise BadRequest(
                f"The inputs have more than {MOST_TOKENS} tokens in total: send fewer at a time.",
                param="input",
                code="invalid_value",
            )
        read.append(ids)
    return read


def _inputs(body: CreateEmbeddingRequest) -> Sequence[str | Sequence[int]]:
    if isinstance(body.input, str):
        return [body.input]
    if isinstance(body.input[0], int):
        return [cast("Sequence[int]", body.input)]
    return cast("Sequence[str | Sequence[int]]", body.input)


async def _ids(engine: Engine, card: ModelCard, given: str | Sequence[int]) -> tuple[int, ...]:
    if isinstance(given, str):
        return await engine.encode(card.id, given)
    if len(given) > card.context_length:
        raise TooLong(card.context_length, len(given))
    return prompt_ids(card, given, "input")


def _check(index: int, tokens: int, card: ModelCard) -> None:
    if tokens == 0:
        raise BadRequest(
            f"Input {index} contains no token for '{card.id}': remove it.",
            param="input",
            code="invalid_value",
        )
    if tokens > card.context_length:
        raise _too_long(index, f"{tokens} tokens", card)


def _too_long(index: int, size: str, card: ModelCard) -> BadRequest:
    return BadRequest(
        (
            f"Input {index} has {size}, but '{card.id}' accepts at most {card.context_length}: split or "
            "shorten it."
        ),
        param="input",
        code="context_length_exceeded",
    )
