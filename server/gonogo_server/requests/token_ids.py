"""Token ids in a request (prompts, inputs, `logit_bias`), checked against the model's vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gonogo_server.errors import BadRequest
from gonogo_server.requests.checks import served

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonogo_server.engine.base import Engine, ModelCard

DIGITS: Final = 18
"""No vocabulary has ids with more digits; Python refuses to parse very long integers."""


async def with_vocabulary(engine: Engine, card: ModelCard) -> ModelCard:
    """The card with the size of the vocabulary; loads the model if necessary."""
    if card.vocabulary:
        return card
    await engine.encode(card.id, "")
    return served(engine, card.id)


def prompt_ids(card: ModelCard, ids: Sequence[int], param: str = "prompt") -> tuple[int, ...]:
    """The token ids of `param`. Raises `BadRequest` for an id outside the vocabulary."""
    return tuple(_known(card, token, param) for token in ids)


def bias_pairs(card: ModelCard, bias: Mapping[str, int]) -> tuple[tuple[int, float], ...]:
    """The token ids of `logit_bias` with their values. Raises `BadRequest` for an id outside the vocabulary."""
    return tuple((_known(card, _number(key), "logit_bias"), float(added)) for key, added in bias.items())


def _number(key: str) -> int:
    digits = key.lstrip("0") or "0"
    return int(digits) if len(digits) <= DIGITS else 10**DIGITS


def _known(card: ModelCard, token: int, param: str) -> int:
    if token < card.vocabulary:
        return token
    shown = str(token) if token < 10**DIGITS else f"of more than {DIGITS} digits"
    raise BadRequest(
        f"The vocabulary of '{card.id}' has no token {shown}: its ids are below {card.vocabulary}.",
        param=param,
        code="invalid_value",
    )
