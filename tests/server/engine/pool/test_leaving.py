"""Waiting requests that are cancelled or time out: the effect on the queue, the turn and the load."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from server.engine.pool.conftest import PATIENCE, bounded, granted, leases, settle, until, use

if TYPE_CHECKING:
    from server.engine.pool.conftest import Shelf

pytestmark = pytest.mark.anyio


async def test_a_waiter_that_leaves_does_not_cancel_the_load(shelf: Shelf) -> None:
    pool = shelf.pool(a=1)
    shelf.gate.clear()
    leaving, staying = [asyncio.ensure_future(use(pool, "a")) for _ in range(2)]
    await settle()
    leaving.cancel()
    await asyncio.wait([leaving])
    assert leaving.cancelled()
    shelf.gate.set()
    assert await staying == "A"
    assert shelf.trace == ["load a"]
    assert pool.leases("a") == 0


async def test_a_load_without_waiters_may_fail(shelf: Shelf) -> None:
    pool = shelf.pool(a=1, b=1)
    shelf.broken = {"a"}
    shelf.gate.clear()
    leaving = asyncio.ensure_future(use(pool, "a"))
    await settle()
    leaving.cancel()
    await asyncio.wait([leaving])
    shelf.gate.set()
    assert await use(pool, "b") == "B"


async def test_a_waiter_for_room_that_leaves_blocks_no_other(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=1, large=2, b=1)
    async with bounded(), pool.lease("a"):
        leaving = asyncio.ensure_future(use(pool, "large"))
        await settle()
        leaving.cancel()
        await asyncio.wait([leaving])
        # It fits beside the one in use, because nobody waits for the large one any more.
        assert await use(pool, "b") == "B"
    assert shelf.trace == ["load a", "load b"]


async def test_later_users_proceed_when_a_waiter_for_room_leaves(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    (first,) = await leases(pool, "a")
    (other,) = await leases(pool, "b")
    later = await leases(pool, "aa")
    assert granted(later) == [False, False]
    await other.leave()
    assert granted(later) == [True, True]
    for one in (first, *later):
        await one.end()
    assert shelf.trace == ["load a"]


async def test_a_waiter_that_leaves_does_not_take_a_turn(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    begun = await leases(pool, "abab")
    await begun[2].leave()
    await begun[0].end()
    assert granted(begun[1:]) == [True, False, True]
    await begun[1].end()
    await begun[3].end()
    assert shelf.trace == ["load a", "unload a", "load b"]
    assert [pool.waiting(name) + pool.leases(name) for name in "ab"] == [0, 0]


async def test_a_deadline_ends_the_wait_for_room(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    (held,) = await leases(pool, "a")
    clocks: list[asyncio.Timeout] = []

    async def within_its_time() -> str:
        async with asyncio.timeout(PATIENCE) as clock:
            clocks.append(clock)
            async with pool.lease("b") as model:
                return model

    waiting = asyncio.ensure_future(within_its_time())
    await settle()
    (later,) = await leases(pool, "a")
    assert granted([later]) == [False]
    clocks[0].reschedule(asyncio.get_running_loop().time())
    await asyncio.wait([waiting])
    assert isinstance(waiting.exception(), TimeoutError)
    await settle()
    assert later.granted
    for one in (held, later):
        await one.end()
    assert shelf.trace == ["load a"]


async def test_a_waiter_that_leaves_when_it_is_granted_releases_the_model(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    shelf.gate.clear()
    leaving = asyncio.ensure_future(use(pool, "a"))
    await settle()
    shelf.gate.set()
    await until(lambda: pool.leases("a"))
    leaving.cancel()
    await asyncio.wait([leaving])
    assert leaving.cancelled()
    assert pool.leases("a") == 0
    assert await use(pool, "b") == "B"


async def test_a_waiter_that_leaves_when_the_load_fails_leaves_no_unhandled_error(shelf: Shelf) -> None:
    pool = shelf.pool(a=1)
    shelf.broken = {"a"}
    shelf.gate.clear()
    leaving = asyncio.ensure_future(use(pool, "a"))
    await settle()
    shelf.gate.set()
    await until(lambda: not pool.waiting("a"))
    leaving.cancel()
    await asyncio.wait([leaving])
    assert leaving.cancelled()


async def test_nothing_is_loaded_where_all_have_left_while_room_was_made(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    await use(pool, "a")
    shelf.unloading.clear()
    (leaving,) = await leases(pool, "b")
    await leaving.leave()
    shelf.unloading.set()
    await settle()
    assert shelf.trace == ["load a", "unload a"]
    assert await use(pool, "a") == "A"


async def test_a_model_loaded_for_an_abandoned_request_is_unloaded_when_idle(shelf: Shelf) -> None:
    pool = shelf.pool(idle_seconds=0.0, a=1)
    shelf.gate.clear()
    (leaving,) = await leases(pool, "a")
    await leaving.leave()
    shelf.gate.set()
    await until(lambda: shelf.trace == ["load a", "unload a"])
