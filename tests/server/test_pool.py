"""Which models are in memory: leases, room for the next, and what becomes of those who wait."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from gonogo_server.errors import ModelUnavailable
from gonogo_server.pool import Pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

PATIENCE = 30.0


class Shelf:
    """Loads names, when its gate is open, and writes down what it does."""

    def __init__(self) -> None:
        self.trace: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.broken: set[str] = set()
        self.weights: dict[str, int] = {}
        self.loading = 0

    def pool(self, limit: int | None = None, **sizes: int) -> Pool[str]:
        self.weights |= sizes
        return Pool(sizes, self.load, self.unload, lambda model: self.weights[model.lower()], limit=limit)

    async def load(self, name: str) -> str:
        self.loading += 1
        try:
            await self.gate.wait()
            if name in self.broken:
                raise ModelUnavailable(f"{name} is broken")
            self.trace.append(f"load {name}")
            return name.upper()
        finally:
            self.loading -= 1

    async def unload(self, name: str) -> None:
        self.trace.append(f"unload {name}")


@pytest.fixture
async def shelf() -> Shelf:
    return Shelf()


@asynccontextmanager
async def bounded() -> AsyncIterator[None]:
    async with asyncio.timeout(PATIENCE):
        yield


async def use(pool: Pool[str], name: str) -> str:
    async with asyncio.timeout(PATIENCE), pool.lease(name) as model:
        return model


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_model_is_loaded_by_the_first_who_uses_it_and_stays(shelf: Shelf) -> None:
    pool = shelf.pool(a=1, b=1)
    assert pool.loaded("a") is None
    assert [await use(pool, "a") for _ in range(3)] == ["A"] * 3
    assert shelf.trace == ["load a"]
    assert (pool.loaded("a"), pool.loaded("b")) == ("A", None)


async def test_who_comes_while_it_is_being_loaded_waits_for_that(shelf: Shelf) -> None:
    pool = shelf.pool(a=1)
    shelf.gate.clear()
    waiting = [asyncio.ensure_future(use(pool, "a")) for _ in range(4)]
    await settle()
    assert pool.leases("a") == 4
    shelf.gate.set()
    assert await asyncio.gather(*waiting) == ["A"] * 4
    assert shelf.trace == ["load a"]
    assert pool.leases("a") == 0


async def test_two_models_that_are_wanted_at_once_are_loaded_one_after_the_other(shelf: Shelf) -> None:
    pool = shelf.pool(a=1, b=1)
    shelf.gate.clear()
    waiting = [asyncio.ensure_future(use(pool, name)) for name in "ab"]
    await settle()
    assert shelf.loading == 1
    shelf.gate.set()
    assert await asyncio.gather(*waiting) == ["A", "B"]


async def test_a_loaded_model_is_used_while_another_is_being_loaded(shelf: Shelf) -> None:
    pool = shelf.pool(a=1, b=1)
    await use(pool, "a")
    shelf.gate.clear()
    waiting = asyncio.ensure_future(use(pool, "b"))
    await settle()
    assert await use(pool, "a") == "A"
    assert not waiting.done()
    shelf.gate.set()
    assert await waiting == "B"


async def test_what_was_not_used_for_the_longest_time_makes_room(shelf: Shelf) -> None:
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


async def test_a_model_that_was_let_go_is_loaded_again(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    for name in "aba":
        assert await use(pool, name) == name.upper()
    assert shelf.trace == ["load a", "unload a", "load b", "unload b", "load a"]


async def test_a_model_larger_than_the_limit_is_refused_and_nothing_goes_for_it(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=2, large=3)
    await use(pool, "a")
    with pytest.raises(ModelUnavailable, match=r"takes 3 bytes.* may take 2: raise --model-memory-bytes"):
        await use(pool, "large")
    assert pool.loaded("a") == "A"


async def test_bytes_are_counted_as_they_turn_out(shelf: Shelf) -> None:
    pool = shelf.pool(4, a=1, b=1, c=1)
    shelf.weights["a"] = 3
    for name in "abc":
        await use(pool, name)
    assert shelf.trace[2:] == ["unload a", "load c"]


async def test_without_a_limit_all_stay(shelf: Shelf) -> None:
    pool = shelf.pool(a=10**15, b=10**15)
    for name in "ab":
        await use(pool, name)
    assert shelf.trace == ["load a", "load b"]


async def test_a_failed_load_fails_who_wanted_it_alone_and_is_tried_again(shelf: Shelf) -> None:
    pool = shelf.pool(a=1, b=1)
    shelf.broken = {"b"}
    shelf.gate.clear()
    waiting = [asyncio.ensure_future(use(pool, name)) for name in "bab"]
    await settle()
    shelf.gate.set()
    first, loaded, second = await asyncio.gather(*waiting, return_exceptions=True)
    assert (str(first), loaded, str(second)) == ("b is broken", "A", "b is broken")
    assert pool.leases("b") == 0
    shelf.broken = set()
    assert await use(pool, "b") == "B"


async def test_who_stops_waiting_takes_the_load_from_nobody(shelf: Shelf) -> None:
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


async def test_a_load_that_nobody_waits_for_any_more_may_fail(shelf: Shelf) -> None:
    pool = shelf.pool(a=1, b=1)
    shelf.broken = {"a"}
    shelf.gate.clear()
    leaving = asyncio.ensure_future(use(pool, "a"))
    await settle()
    leaving.cancel()
    await asyncio.wait([leaving])
    shelf.gate.set()
    assert await use(pool, "b") == "B"


async def test_who_stops_waiting_for_room_keeps_nobody_from_it(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=1, large=2, b=1)
    async with bounded(), pool.lease("a"):
        leaving = asyncio.ensure_future(use(pool, "large"))
        await settle()
        leaving.cancel()
        await asyncio.wait([leaving])
        # It fits beside the one in use, as nobody wants the large one any more.
        assert await use(pool, "b") == "B"
    assert shelf.trace == ["load a", "load b"]


async def test_what_nobody_uses_any_more_is_unloaded(shelf: Shelf) -> None:
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


async def test_a_model_that_was_loaded_before_is_not_loaded_again_and_not_idle_at_once(shelf: Shelf) -> None:
    pool = shelf.pool(a=1)
    pool.adopt("a", "A", 0.5)
    await pool.unload_idle(3600)
    assert await use(pool, "a") == "A"
    assert shelf.trace == []


async def test_a_model_that_nobody_serves_is_a_bug_of_the_caller(shelf: Shelf) -> None:
    with pytest.raises(KeyError):
        await use(shelf.pool(a=1), "b")
