"""Recorded answers, read by the Node clients if these are installed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from gonogo.clients import nodejs
from gonogo.clients.breakage import Breakage
from gonogo.clients.nodejs import NodeLane

if TYPE_CHECKING:
    from gonogo.clients.nodejs import Node
    from gonogo.clients.replaying import Outcome, Replay
    from gonogo.exchange import Exchange

INSTALLED = Path(__file__).parents[2] / "clients" / "node"
needs_packages = pytest.mark.skipif(
    not all((INSTALLED / "node_modules" / name).exists() for name in nodejs.PACKAGES),
    reason="the clients for Node are not installed: uv run npm ci --prefix tests/clients/node",
)


def read_by(node: Node, *exchanges: Exchange, **options: Any) -> dict[Replay, Outcome]:  # noqa: ANN401 - the lane's
    with NodeLane(node, **options) as lane:
        for exchange in exchanges:
            lane.submit(exchange)
        return lane.results()


def told(node: Node, exchange: Exchange) -> dict[str, str]:
    """How each client broke on an answer, by the name of its reader; empty if none did."""
    found = read_by(node, exchange)
    assert all(one is None or isinstance(one, Breakage) for one in found.values()), found
    return {reader: one.how if isinstance(one, Breakage) else "" for (reader, _), one in found.items()}
