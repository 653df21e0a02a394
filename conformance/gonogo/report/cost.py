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
    """Requests that were recorded, and the sums of the tokens that their usage names.

    These are `prompt_tokens` and `completion_tokens`, or `input_tokens` and `output_tokens` of other surfaces.
    """

    requests: int
    prompt_tokens: int
    completion_tokens: int


def cost(exchanges: Iterable[Exchange]) -> Cost:
    """Add up what the answers report; an answer without readable usage counts as a request only."""
    requests = prompt = completion = 0
    for exchange in exchanges:
        if sight_of(exchange.stimulus) is not None:
            continue  # what a gateway asked of the suite's own upstream
        usage = _usage(exchange)
        requests += 1
        prompt += _count(usage.get("prompt_tokens", usage.get("input_tokens")))
        completion += _count(usage.get("completion_tokens", usage.get("output_tokens")))
    return Cost(requests, prompt, completion)


def _usage(exchange: Exchange) -> dict[str, object]:
    """The usage object of the answer; of a stream its last, since some servers send a running total."""
    if not exchange.is_stream:
        return _usage_in(exchange.body)
    usage: dict[str, object] = {}
    for event in sse.parse(exchange.body).events:
        # A message tells of its input at the start, and of its output at the end.
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
