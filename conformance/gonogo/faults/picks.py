"""Picks: predicates that select the exchanges that a fault changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange

    Pick = Callable[[Exchange], bool]


def asked(*keys: str) -> Pick:
    """The exchanges of these stimuli."""
    return lambda exchange: exchange.stimulus in keys


def holding(*parts: str) -> Pick:
    """The exchanges whose stimulus has one of these parts in its key."""
    return lambda exchange: any(part in exchange.stimulus for part in parts)


def whole(endpoint: str) -> Pick:
    """Every complete plain answer of an endpoint."""
    return lambda exchange: _answered(exchange, endpoint, "application/json")


def streamed(endpoint: str) -> Pick:
    """Every streamed plain answer of an endpoint."""
    return lambda exchange: _answered(exchange, endpoint, "text/event-stream")


def either(*picks: Pick) -> Pick:
    """The exchanges that any of these picks selects."""
    return lambda exchange: any(pick(exchange) for pick in picks)


def but(pick: Pick, without: Pick) -> Pick:
    """The exchanges of the first pick that the second does not select."""
    return lambda exchange: pick(exchange) and not without(exchange)


def _answered(exchange: Exchange, endpoint: str, media_type: str) -> bool:
    named = exchange.stimulus.startswith(f"POST {endpoint} ")
    return named and exchange.status == 200 and exchange.media_type == media_type and _is_plain(exchange)


def _is_plain(exchange: Exchange) -> bool:
    """Whether the answer is one text, without other requested features that an edit of the text would break."""
    asked_for = exchange.request.json
    assert isinstance(asked_for, dict)
    more = (asked_for.get(name) for name in ("tools", "response_format", "text", "output_config"))
    unlikely = asked_for.get("logprobs") is None or asked_for["logprobs"] is False  # 0 requests some
    return asked_for.get("n") in (None, 1) and not any(more) and unlikely
