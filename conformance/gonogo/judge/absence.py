"""Detects missing operations, whose answers prove nothing about other rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.judge.outcome import Refused
from gonogo.reasons import Reason
from gonogo.stimuli import surfaces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange
    from gonogo.stimuli.stimulus import Endpoint, Stimulus

# The plain request of each operation, which a target has the least reason to refuse.
PLAIN = {endpoint: stimulus.key for endpoint, stimulus in surfaces.PLAIN.items()}


def unserved(by_key: Mapping[str, Exchange], stimuli: Mapping[str, Stimulus]) -> dict[str, Endpoint]:
    """The missing operations by the ids of the exchanges that show this in the same way as the plain request.

    Both mappings are by the key of the stimulus.
    """
    missing = {endpoint for endpoint, key in PLAIN.items() if key in by_key and _no_route(by_key[key])}
    return {
        by_key[key].id: stimulus.endpoint
        for key, stimulus in stimuli.items()
        if stimulus.endpoint in missing and _no_route(by_key[key])
    }


def no_such_operation(endpoint: Endpoint, exchange: Exchange) -> Refused:
    """The reason for every rule about an operation that this exchange shows to be missing."""
    values = {"operation": endpoint.value, "status": exchange.status}
    return Refused(Reason.NO_SUCH_OPERATION, (exchange.id,), values)


def _no_route(exchange: Exchange) -> bool:
    return exchange.status in surfaces.NO_SUCH_ROUTE
