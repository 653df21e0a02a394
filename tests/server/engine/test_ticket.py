"""Results on their way from the engine's thread to whoever waits on a loop."""

from __future__ import annotations

import asyncio
import threading

import pytest
from gonogo_server.engine.base import Piece
from gonogo_server.engine.mlx.ticket import Deliveries, Ticket

pytestmark = pytest.mark.anyio

PATIENCE = 30.0


async def test_pieces_arrive_in_order_from_another_thread() -> None:
    ticket, deliveries = Ticket(), Deliveries()

    def produce() -> None:
        for number in range(10):
            deliveries.add(ticket, Piece(str(number), 1))
            if number % 3 == 0:
                deliveries.send()
        deliveries.send()

    thread = threading.Thread(target=produce)
    thread.start()
    async with asyncio.timeout(PATIENCE):
        texts = [(await ticket.next_piece()).text for _ in range(10)]
    thread.join(PATIENCE)
    assert texts == [str(number) for number in range(10)]


async def test_a_failure_comes_after_the_pieces_before_it() -> None:
    ticket, deliveries = Ticket(), Deliveries()
    deliveries.add(ticket, Piece("a", 1))
    deliveries.add(ticket, ValueError("broken"))
    deliveries.send()
    async with asyncio.timeout(PATIENCE):
        assert (await ticket.next_piece()).text == "a"
        with pytest.raises(ValueError, match="broken"):
            await ticket.next_piece()


async def test_a_step_wakes_a_loop_once_however_many_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, deliveries = asyncio.get_running_loop(), Deliveries()
    wakes = []
    genuine = loop.call_soon_threadsafe

    def counted(*arguments: object) -> object:
        wakes.append(arguments)
        return genuine(*arguments)

    monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
    tickets = [Ticket() for _ in range(5)]
    for ticket in tickets:
        deliveries.add(ticket, Piece("a", 1))
    deliveries.send()
    assert len(wakes) == 1
    deliveries.send()
    assert len(wakes) == 1
    async with asyncio.timeout(PATIENCE):
        assert [(await ticket.next_piece()).text for ticket in tickets] == ["a"] * 5


def test_an_answer_whose_loop_is_closed_counts_as_cancelled() -> None:
    async def ask() -> Ticket:
        return Ticket()

    ticket, deliveries = asyncio.run(ask()), Deliveries()
    deliveries.add(ticket, Piece("a", 1))
    deliveries.send()
    assert ticket.cancelled
