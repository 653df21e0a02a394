"""Models evicted to make room, idle models, and models that never fit."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from gonogo_server.errors import ModelUnavailable
from server.engine.pool.conftest import Lease, bounded, granted, leases, settle, until, use

if TYPE_CHECKING:
    from server.engine.pool.conftest import Shelf

pytestmark = pytest.mark.anyio


async def test_the_least_recently_used_model_is_evicted(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=1, b=1, c=1)
    for name in "aba":
        await use(pool, name)
    await use(pool, "c")
    assert shelf.trace[-2:] == ["unload b", "load c"]
    assert (pool.loaded("a"), pool.loaded("b"), pool.loaded("c")) == ("A", None, "C")


async def test_as_many_make_room_as_it_takes(shelf: Shelf) -> None:
    pool = shelf.pool(4, a=1, b=1, c=1, large=3)
    for name in ("a", "b", "c", "large"):
        await use(pool, name)
    assert shelf.trace[3:] == ["unload a", "unload b", "load large"]


async def test_a_model_in_use_is_never_let_go_and_the_next_one_waits(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(bounded())
        first, second = AsyncExitStack(), AsyncExitStack()
        await first.enter_async_context(pool.lease("a"))
        await second.enter_async_context(pool.lease("a"))
        waiting = asyncio.ensure_future(use(pool, "b"))
        await settle()
        await first.aclose()
        await settle()
        assert shelf.trace == ["load a"]
        assert not waiting.done()
        await second.aclose()
        assert await waiting == "B"
    assert shelf.trace == ["load a", "unload a", "load b"]


async def test_a_model_larger_than_the_limit_is_refused_without_evicting_others(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=2, large=3)
    await use(pool, "a")
    with pytest.raises(ModelUnavailable, match=r"needs 3 bytes.* models is 2: raise --model-memory-bytes"):
        await use(pool, "large")
    assert pool.loaded("a") == "A"


async def test_bytes_are_counted_as_they_turn_out(shelf: Shelf) -> None:
    pool = shelf.pool(4, a=1, b=1, c=1)
    shelf.weights["a"] = 3
    for name in "abc":
        await use(pool, name)
    assert shelf.trace[2:] == ["unload a", "load c"]


async def test_models_without_users_are_unloaded(shelf: Shelf) -> None:
    pool = shelf.pool(a=1, b=1)
    await use(pool, "b")
    async with bounded(), pool.lease("a"):
        await pool.unload_idle(3600)
        assert shelf.trace == ["load b", "load a"]
        await pool.unload_idle(0)
        assert shelf.trace[2:] == ["unload b"]
    await pool.unload_idle(0)
    assert shelf.trace[3:] == ["unload a"]
    assert await use(pool, "a") == "A"


async def test_the_first_model_to_become_idle_is_evicted_if_that_is_enough(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=1, b=1, c=1)
    a, b = await leases(pool, "ab")
    (waiting,) = await leases(pool, "c")
    await b.end()
    assert waiting.granted
    assert shelf.trace[2:] == ["unload b", "load c"]
    (again,) = await leases(pool, "a")
    assert again.granted
    for one in (a, again, waiting):
        await one.end()


async def test_nothing_goes_before_there_is_room_enough(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=1, idle=1, large=2)
    (a,) = await leases(pool, "a")
    await use(pool, "idle")
    large = Lease(pool, "large")
    await settle()
    assert pool.loaded("idle") == "IDLE"
    await large.leave()
    await a.end()
    assert shelf.trace == ["load a", "load idle"]


async def test_a_model_that_turns_out_larger_than_the_limit_is_let_go_and_refused(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=1, b=1)
    shelf.weights["b"] = 3
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="needs 3 bytes"):
            await use(pool, "b")
    # The second time it is known in advance.
    assert shelf.trace == ["load b", "unload b"]
    assert await use(pool, "a") == "A"


async def test_a_model_that_can_never_fit_is_refused_while_others_wait_for_room(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1, large=2)
    begun = await leases(pool, "ab")
    with pytest.raises(ModelUnavailable, match="needs 2 bytes"):
        await use(pool, "large")
    for one in begun:
        await one.end()


async def test_a_model_larger_than_estimated_evicts_idle_ones(shelf: Shelf) -> None:
    pool = shelf.pool(4, a=1, b=1, c=1)
    shelf.weights["c"] = 3
    (held,) = await leases(pool, "a")
    await use(pool, "b")
    await use(pool, "c")
    assert shelf.trace[2:] == ["load c", "unload b"]
    await held.end()


async def test_a_request_during_an_unload_loads_the_model_again(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    await use(pool, "a")
    shelf.unloading.clear()
    unloading = asyncio.ensure_future(pool.unload_idle(0))
    await settle()
    begun = await leases(pool, "ab")
    assert granted(begun) == [False, False]
    shelf.unloading.set()
    await unloading
    await settle()
    assert granted(begun) == [True, False]
    for one in begun:
        await one.end()
    assert shelf.trace == ["load a", "unload a", "load a", "unload a", "load b"]


async def test_a_model_that_was_preloaded_and_never_used_is_unloaded_in_its_time(shelf: Shelf) -> None:
    pool = shelf.pool(idle_seconds=0.0, a=1, b=1)
    pool.adopt("a", "A", 0.0)
    (held,) = await leases(pool, "b")
    await until(lambda: not pool.loaded("a"))
    await held.end()
