"""Results on their way from the engine's thread to a waiting event loop."""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import aclosing
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import pytest
from gonogo_server.engine.base import Generation, Piece, Sampling
from gonogo_server.engine.mlx.sequence import TokenSequence
from gonogo_server.engine.mlx.ticket import Deliveries, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gonogo_server.engine.mlx.engine import MlxEngine

    Open = Callable[..., Any]

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


async def test_a_step_wakes_a_loop_once_for_all_answers(monkeypatch: pytest.MonkeyPatch) -> None:
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


# ---- slow readers


def size(value: object, seen: set[int]) -> int:
    """The bytes of a value and everything in it, each object once."""
    if id(value) in seen:
        return 0
    seen.add(id(value))
    parts = value if isinstance(value, tuple) else ()
    if is_dataclass(value):
        parts = tuple(getattr(value, field.name) for field in fields(value))
    return sys.getsizeof(value) + sum(size(part, seen) for part in parts)


@pytest.mark.parametrize(("top_logprobs", "most"), [(None, 256), (20, 4096)])
async def test_a_piece_that_waits_for_its_reader_takes_a_few_kilobytes_at_most(
    smollm2: MlxEngine, top_logprobs: int | None, most: int
) -> None:
    prompt = await smollm2.encode("smollm2", "Once upon a time")
    generation = Generation(prompt, 24, Sampling(temperature=0), top_logprobs)
    async with asyncio.timeout(PATIENCE), aclosing(smollm2.generate("smollm2", generation)) as steps:
        pieces = [piece async for piece in steps]
    seen: set[int] = set()
    assert sum(size(piece, seen) for piece in pieces) / len(pieces) < most


async def test_an_unread_answer_ends_and_blocks_no_other(by_hand: Open, endless_folder: Path) -> None:
    bench = by_hand(endless_folder, sequences=1, prefix_bytes=0)
    alone = await bench.tokens((1, 2, 3), 40)
    unread = Ticket()
    how = Sampling(seed=1, logit_bias=((256, -100.0),))
    bench.owned.add(
        bench.name, TokenSequence(unread, Generation((1, 2, 3), 40, how, 20), bench.loaded.text, None)
    )
    behind = bench.ask((1, 2, 3), 40)
    await bench.run(behind)
    assert behind.tokens == alone
    # Its cache is released: only its results are left.
    assert bench.batch._generator.prompt_cache_nbytes == 0
    pieces = [await unread.next_piece() for _ in range(40)]
    assert [piece.logprobs[0].chosen.id for piece in pieces] == alone
    assert [piece.finish_reason for piece in pieces] == [None] * 39 + ["length"]
    assert unread._results.empty()
