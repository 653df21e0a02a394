"""The cost of a run for the target: requests, and the tokens that it reports."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonogo import sse
from gonogo.stimuli.played import sight_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonogo.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Cost:
    """The number of recorded requests, and the sums of the tokens in their usage.

    These are `prompt_tokens` and `completion_tokens`, or `input_tokens` and `output_tokens` on other surfaces.
    """

    requests: int
    prompt_tokens: int
    completion_tokens: int


def cost(exchanges: Iterable[Exchange]) -> Cost:
    """The sums of all answers; an answer without readable usage counts only as a request."""
    requests = prompt = completion = 0
    for exchange in exchanges:
        if sight_of(exchange.stimulus) is not None:
            continue  # a request from a gateway to the suite's own upstream
        usage = _usage(exchange)
        requests += 1
        prompt += _count(usage.get("prompt_tokens", usage.get("input_tokens")))
        completion += _count(usage.get("completion_tokens", usage.get("output_tokens")))
    return Cost(requests, prompt, completion)


def _usage(exchange: Exchange) -> dict[str, object]:
    """The usage object of the answer; of a stream the last one, since some servers send a running total."""
    if not exchange.is_stream:
        return _usage_in(exchange.body)
    usage: dict[str, object] = {}
    for event in sse.parse(exchange.body).events:
        # In the Messages API, the first event has the input tokens, a later one the output tokens.
        usage |= _usage_in(event.data)
    return usage


def _usage_in(text: str | bytes) -> dict[str, object]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(value, dict):
        return {}
    holders = (value, value.get("response"), value.get("message"))
    found = [holder.get("usage") for holder in holders if isinstance(holder, dict)]
    return next((usage for usage in found if isinstance(usage, dict)), {})


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
