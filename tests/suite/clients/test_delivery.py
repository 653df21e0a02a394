"""What a client delivered compared with the bytes, without a client."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from clients.measured.canned_surfaces import message_stream
from clients.measured.canned_values import TEXT
from gonogo.clients.delivery import differences

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonogo.exchange import Exchange

    Make = Callable[..., Exchange]


@pytest.mark.parametrize("query", ["", "?beta=true"])
@pytest.mark.parametrize(("text", "told"), [(TEXT, []), (TEXT[3:], ["loses text"])])
def test_a_message_is_read_by_its_surface_with_any_query(
    streamed: Make, query: str, text: str, told: list[str]
) -> None:
    exchange = streamed("/messages", *message_stream())
    exchange = replace(exchange, request=replace(exchange.request, path=f"/messages{query}"))
    found = list(differences("anthropic_node.messages_stream", exchange, _said(text)))
    assert [one.partition(",")[0] for one in found] == told


def _said(text: str) -> dict[str, Any]:
    choice = {"index": 0, "text": text, "calls": [], "finish": "stop"}
    return {"choices": [choice], "usage": {"prompt": 9, "completion": 7}, "total": 16}
