"""The order in which parallel requests are sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest
from gonogo.collect.pool import longest_first, narrower, pooled
from gonogo.stimuli import bodies
from gonogo.stimuli.stimulus import Endpoint, Stimulus


def named(name: str, *needs: Stimulus, tokens: int = 8) -> Stimulus:
    return replace(bodies.post(Endpoint.CHAT, {}), key=name, needs=needs, tokens=tokens)


A, B, C, D = map(named, "abcd")


@dataclass
class Sent:
    """Answers each request when the test says so, or at once."""

    begun: list[str] = field(default_factory=list)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)

    async def __call__(self, stimulus: Stimulus) -> None:
        self.begun.append(stimulus.key)
        if stimulus.key in self.gates:
            await self.gates[stimulus.key].wait()


def test_the_longest_chain_goes_first_and_a_tie_keeps_its_order() -> None:
    first = named("first")
    last = named("last", named("middle", first), tokens=1)
    chain = [last, named("middle", first), first]
    slow = named("slow", tokens=20)
    assert [s.key for s in longest_first([A, B, slow, *chain])] == [
        "first",
        "slow",
        "middle",
        "a",
        "b",
        "last",
    ]


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_the_next_goes_out_as_soon_as_any_is_answered() -> None:
    sent = Sent(gates={})

    async def run() -> None:
        sent.gates["a"] = asyncio.Event()
        running = asyncio.ensure_future(pooled([A, B, C, D], sent, lambda: 2))
        await _settle()
        assert sent.begun == ["a", "b", "c", "d"]
        sent.gates["a"].set()
        assert await running == [A, B, C, D]

    asyncio.run(asyncio.wait_for(run(), 30))


def test_a_dependent_request_is_sent_after_the_needed_answer_and_blocks_no_other() -> None:
    sent = Sent()
    needing = named("needing", B)

    async def run() -> None:
        sent.gates["b"] = asyncio.Event()
        running = asyncio.ensure_future(pooled([needing, B, C, D], sent, lambda: 2))
        await _settle()
        assert sent.begun == ["b", "c", "d"]
        sent.gates["b"].set()
        await running

    asyncio.run(asyncio.wait_for(run(), 30))
    assert sent.begun == ["b", "c", "d", "needing"]


@pytest.mark.parametrize("limit", [1, 2, 8])
def test_no_further_request_is_started_once_the_callback_returns_false(limit: int) -> None:
    sent = Sent()
    begun = asyncio.run(
        pooled([A, named("needing", A), B, C], sent, lambda: limit, lambda number: number < 2)
    )
    assert sorted(sent.begun) == sorted(stimulus.key for stimulus in begun)
    assert len(begun) == 2


def test_fewer_are_under_way_once_the_limit_is_less() -> None:
    sent = Sent()
    limit = 3

    async def run() -> None:
        nonlocal limit
        sent.gates |= {name: asyncio.Event() for name in "abcd"}
        running = asyncio.ensure_future(pooled([A, B, C, D], sent, lambda: limit))
        await _settle()
        assert sent.begun == ["a", "b", "c"]
        limit = 1
        for name, begun in (("a", 3), ("b", 3), ("c", 4)):
            sent.gates[name].set()
            await _settle()
            assert len(sent.begun) == begun
        sent.gates["d"].set()
        assert await running == [A, B, C, D]

    asyncio.run(asyncio.wait_for(run(), 30))


@pytest.mark.parametrize(("width", "then"), [(8, 4), (5, 2), (2, 1), (1, 8)])
def test_a_time_out_halves_what_is_under_way_unless_it_was_alone(width: int, then: int) -> None:
    assert narrower(width, asked=8) == then


def test_an_error_cancels_the_rest_and_is_raised() -> None:
    async def send(stimulus: Stimulus) -> None:
        if stimulus is B:
            raise ValueError("b")
        await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as raised:
        asyncio.run(asyncio.wait_for(pooled([A, B, named("needing", A)], send, lambda: 2), 30))
    assert raised.group_contains(ValueError, match="b")
