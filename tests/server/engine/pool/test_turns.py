"""The order of the queue: first come, first served, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from server.engine.pool.conftest import Lease, bounded, granted, leases, settle, use

if TYPE_CHECKING:
    from server.engine.pool.conftest import Shelf

pytestmark = pytest.mark.anyio


async def test_a_model_in_constant_use_is_evicted_for_an_earlier_waiter(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    first, second = await leases(pool, "aa")
    (other,) = await leases(pool, "b")
    third, fourth = await leases(pool, "aa")
    assert granted([first, second, other, third, fourth]) == [True, True, False, False, False]
    await first.end()
    assert granted([other, third]) == [False, False]
    await second.end()
    assert granted([other, third, fourth]) == [True, False, False]
    assert shelf.trace == ["load a", "unload a", "load b"]
    await other.end()
    assert granted([third, fourth]) == [True, True]
    assert shelf.trace[3:] == ["unload b", "load a"]
    await third.end()
    await fourth.end()


async def test_overlapping_uses_do_not_block_a_waiter_forever(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    chain = await leases(pool, "a")
    (other,) = await leases(pool, "b")
    for _ in range(10):
        chain += await leases(pool, "a")
        if chain[-2].granted:
            await chain[-2].end()
    assert other.granted
    await other.end()
    for one in chain[1:]:
        await one.end()
    assert shelf.trace == ["load a", "unload a", "load b", "unload b", "load a"]


async def test_models_that_wait_for_each_other_take_turns(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    begun = await leases(pool, "abababab")
    assert granted(begun) == [True] + 7 * [False]
    for name in "aba":
        for one, wanted in zip(begun, "abababab", strict=True):
            if one.granted and wanted == name and not one.task.done():
                await one.end()
    assert all(one.task.done() for one in begun)
    # Others that wait for a model get it together with the first of them.
    assert shelf.trace == ["load a", "unload a", "load b", "unload b", "load a"]


async def test_room_is_made_in_the_order_in_which_it_was_wanted(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1, c=1, d=1)
    begun = await leases(pool, "acbd")
    for one in begun:
        assert one.granted
        await one.end()
    assert [step for step in shelf.trace if step.startswith("load")] == [
        "load a",
        "load c",
        "load b",
        "load d",
    ]


async def test_a_model_that_is_not_to_be_evicted_accepts_all_users(shelf: Shelf) -> None:
    pool = shelf.pool(3, a=1, b=1, large=2)
    held, beside = await leases(pool, "ab")
    (large,) = await leases(pool, ["large"])
    more = await leases(pool, "ab")
    # The one that was loaded first is evicted.
    assert granted([large, *more]) == [False, False, True]
    await held.end()
    assert granted([large, more[0]]) == [True, False]
    assert pool.loaded("b") == "B"
    for one in (large, beside, *more):
        await one.end()


async def test_the_model_to_evict_does_not_change_with_later_uses(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=1, b=1, c=1)
    a, b = await leases(pool, "ab")
    (waiting,) = await leases(pool, "c")
    users = [b]
    for _ in range(5):
        # They alternate, so that the other one was always used last.
        users += await leases(pool, "b")
        assert users[-1].granted
        await users[-2].end()
    await a.end()
    assert waiting.granted
    assert shelf.trace == ["load a", "load b", "unload a", "load c"]
    for one in (users[-1], waiting):
        await one.end()


async def test_a_request_that_came_before_uses_the_model_again_and_again(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    async with bounded(), pool.lease("a", since=1.0):
        waiting = Lease(pool, "b", since=2.0)
        await settle()
        # Otherwise it would wait for a request that waits for it.
        async with pool.lease("a", since=1.0) as model:
            assert model == "A"
        behind = Lease(pool, "a", since=3.0)
        await settle()
        assert granted([waiting, behind]) == [False, False]
    await settle()
    assert granted([waiting, behind]) == [True, False]
    await waiting.end()
    await behind.end()


async def test_the_earliest_request_is_served_first_even_if_it_acquires_late(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1, c=1)
    (held,) = await leases(pool, "a")
    later, earlier = Lease(pool, "b", since=2.0), Lease(pool, "c", since=1.0)
    await settle()
    await held.end()
    assert granted([later, earlier]) == [False, True]
    await earlier.end()
    await later.end()


async def test_a_use_that_ends_does_not_change_what_is_to_go(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=1, b=1, c=1)
    begun = await leases(pool, "aabc")
    await begun[0].end()
    later = await leases(pool, "ab")
    assert granted(later) == [False, True]
    for one in (begun[1], *begun[2:], *later):
        await one.end()


async def test_a_waiter_keeps_its_turn_during_the_load_of_another_model(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=1, b=1, c=1)
    (held,) = await leases(pool, "a")
    shelf.gate.clear()
    begun = await leases(pool, "bca")
    assert granted(begun) == [False, False, False]
    shelf.gate.set()
    await settle()
    assert granted(begun) == [True, False, False]
    await held.end()
    assert granted(begun) == [True, True, False]
    for one in begun:
        await one.end()


async def test_a_model_that_will_be_evicted_accepts_no_users(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=1, b=1, large=2)
    for name in "ab":
        await use(pool, name)
    shelf.unloading.clear()
    large = Lease(pool, "large")
    await settle()
    # One of them is being unloaded, the other one is next.
    late = await leases(pool, "ba")
    assert granted(late) == [False, False]
    shelf.unloading.set()
    await settle()
    assert granted([large, *late]) == [True, False, False]
    for one in (large, *late):
        await one.end()
    assert shelf.trace[2:] == ["unload a", "unload b", "load large", "unload large", "load b", "load a"]


async def test_an_earlier_request_reuses_the_model_to_evict_while_the_pool_is_busy(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=1, b=1, c=1, idle=1)
    await use(pool, "idle")
    shelf.unloading.clear()
    unloading = asyncio.ensure_future(pool.unload_idle(0))
    await settle()
    pool.adopt("a", "A", 0.0)
    pool.adopt("b", "B", 0.0)
    waiting = Lease(pool, "c", since=2.0)
    await settle()
    before = [Lease(pool, name, since=1.0) for name in "ab"]
    await settle()
    assert granted([waiting, *before]) == [False, True, True]
    shelf.unloading.set()
    await unloading
    await settle()
    assert granted([waiting]) == [False]
    await before[1].end()
    assert granted([waiting]) == [True]
    for one in (waiting, before[0]):
        await one.end()
