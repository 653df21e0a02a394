"""Reads log probabilities: the entries of a chat, the four arrays of a completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge import reading
from gonogo.judge.outcome import undecided
from gonogo.reasons import Reason

if TYPE_CHECKING:
    from gonogo.exchange import Exchange
    from gonogo.judge.outcome import Stop
    from gonogo.judge.reading import Object

ARRAYS = ("tokens", "token_logprobs", "top_logprobs", "text_offset")


def pieces(exchange: Exchange) -> list[object]:
    """The `logprobs` of the first choice: of a complete answer, or of each chunk that has any."""
    if exchange.is_stream:
        found = [choice.get("logprobs") for _, choice in reading.by_choice(exchange).get(0, [])]
        return [value for value in found if value is not None]
    value = reading.choices(exchange)[0].get("logprobs")
    return [] if value is None else [value]


def entries(exchange: Exchange) -> list[Object]:
    """The entries of a chat's tokens. Raises Stop if there is none, or one is not an object."""
    found: list[Object] = []
    for piece in pieces(exchange):
        content = piece.get("content") if isinstance(piece, dict) else None
        objects = reading.objects(content)
        if isinstance(content, list) and len(objects) < len(content):
            raise undecided(Reason.ENTRY_NOT_AN_OBJECT, exchange)
        found += objects
    if not found:
        raise _none(exchange, "content")
    return found


def arrays(exchange: Exchange) -> dict[str, list[object]]:
    """The arrays of a completion, joined over chunks. Raises Stop if there is no array of tokens."""
    found: dict[str, list[object]] = {}
    for piece in pieces(exchange):
        for name in ARRAYS:
            value = piece.get(name) if isinstance(piece, dict) else None
            if isinstance(value, list):
                found.setdefault(name, []).extend(value)
    if not found.get("tokens"):
        raise _none(exchange, "tokens")
    return found


def _none(exchange: Exchange, name: str) -> Stop:
    """The exception: the field of that name is missing, or the log probabilities have the other operation's form."""
    if any(isinstance(piece, dict) and piece for piece in pieces(exchange)):
        return undecided(Reason.LOGPROBS_OF_OTHER_FORM, exchange, field=name)
    return undecided(Reason.NO_LOGPROBS, exchange)


def number(value: object) -> float | None:
    """A number, or None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def asked(exchange: Exchange, name: str) -> int:
    """A number in the request; 0 if it has none."""
    return reading.count(exchange.request.fields.get(name)) or 0
