"""Operations that a target does not have: what it says to every request of one tells nothing about the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonogo.stimuli.bodies import post
from gonogo.stimuli.stimulus import Endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonogo.exchange import Exchange
    from gonogo.rules import Catalogue

NO_SUCH_ROUTE = {404, 405, 501}

# The request of each operation that a target has the least reason to refuse.
PLAIN = {endpoint: post(endpoint, {}).key for endpoint in (Endpoint.CHAT, Endpoint.COMPLETIONS)}


def unserved(by_key: Mapping[str, Exchange], catalogue: Catalogue) -> frozenset[str]:
    """Ids of the exchanges that say that their operation is not there, as its plain request was told too."""
    missing = {endpoint for endpoint, key in PLAIN.items() if key in by_key and _no_route(by_key[key])}
    return frozenset(
        exchange.id
        for key, exchange in by_key.items()
        if _no_route(exchange)
        and (stimulus := catalogue.stimulus(key)) is not None
        and stimulus.endpoint in missing
    )


def _no_route(exchange: Exchange) -> bool:
    return exchange.status in NO_SUCH_ROUTE
