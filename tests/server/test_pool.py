"""Which models are in memory: leases, room for the next, and what becomes of those who wait."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from gonogo_server.errors import ModelUnavailable
from gonogo_server.pool import Pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

pytestmark = pytest.mark.anyio

PATIENCE = 30.0


class Shelf:
    """Loads names, when its gate is open, and writes down what it does."""

    def __init__(self) -> None:
        self.trace: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.unloading = asyncio.Event()
        self.unloading.set()
        self.broken: set[str] = set()
        self.weights: dict[str, int] = {}
        self.loading = 0

    def pool(self, limit: int | None = None, *, idle_seconds: float | None = None, **sizes: int) -> Pool[str]:
        self.weights |= sizes
        weigh = self.weights.__getitem__
        return Pool(
            sizes, self.load, self.unload, lambda model: weigh(model.lower()), limit=limit, idle=idle_seconds
        )

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
        await self.unloading.wait()
        if f"unload {name}" in self.broken:
            raise ModelUnavailable(f"unload {name} is broken")
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


class Lease:
    """A use of a model that lasts until the test ends it."""

    def __init__(self, pool: Pool[str], name: str, since: float | None = None) -> None:
        self._over = asyncio.Event()
        self._inside = asyncio.Event()
        self.task = asyncio.ensure_future(self._use(pool, name, since))

    async def _use(self, pool: Pool[str], name: str, since: float | None) -> None:
        async with asyncio.timeout(PATIENCE), pool.lease(name, since) as model:
            assert model == name.upper()
            self._inside.set()
            await self._over.wait()
            # Never let go under whoever uses it.
            assert pool.loaded(name) == model

    @property
    def granted(self) -> bool:
        return self._inside.is_set()

    async def end(self) -> None:
        self._over.set()
        await self.task
        await settle()

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])
        await settle()


async def leases(pool: Pool[str], names: Iterable[str]) -> list[Lease]:
    """One after the other, each as far as it gets."""
    begun = []
    for name in names:
        begun.append(Lease(pool, name))
        await settle()
    return begun


def granted(begun: list[Lease]) -> list[bool]:
    return [one.granted for one in begun]


async def until(happened: Callable[[], object]) -> None:
    """Let tasks run until it has, and no further."""
    async with bounded():
        while not happened():  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0)


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
    assert pool.waiting("a") == 4
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


# ---- whose turn it is


async def test_a_model_in_unbroken_use_makes_room_for_who_came_before_its_later_users(shelf: Shelf) -> None:
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


async def test_an_endless_chain_of_overlapping_uses_keeps_nobody_waiting_for_ever(shelf: Shelf) -> None:
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
    # Who waits for a model comes in with the first of them.
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


async def test_a_model_that_need_not_go_is_used_by_all_who_come(shelf: Shelf) -> None:
    pool = shelf.pool(3, a=1, b=1, large=2)
    held, beside = await leases(pool, "ab")
    (large,) = await leases(pool, ["large"])
    more = await leases(pool, "ab")
    # The one that was loaded first has to go.
    assert granted([large, *more]) == [False, False, True]
    await held.end()
    assert granted([large, more[0]]) == [True, False]
    assert pool.loaded("b") == "B"
    for one in (large, beside, *more):
        await one.end()


async def test_what_is_to_go_stays_the_same_whoever_comes_and_goes_meanwhile(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=1, b=1, c=1)
    a, b = await leases(pool, "ab")
    (waiting,) = await leases(pool, "c")
    users = [b]
    for _ in range(5):
        # They come and go, so that it is always the other one that was used last.
        users += await leases(pool, "b")
        assert users[-1].granted
        await users[-2].end()
    await a.end()
    assert waiting.granted
    assert shelf.trace == ["load a", "load b", "unload a", "load c"]
    for one in (users[-1], waiting):
        await one.end()


async def test_what_comes_to_rest_first_goes_where_that_is_room_enough(shelf: Shelf) -> None:
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


async def test_who_leaves_while_waiting_for_room_lets_the_later_users_in(shelf: Shelf) -> None:
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


async def test_who_leaves_while_waiting_for_their_turn_takes_it_from_nobody(shelf: Shelf) -> None:
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


async def test_who_leaves_in_the_moment_it_is_let_in_keeps_nothing(shelf: Shelf) -> None:
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


async def test_who_leaves_in_the_moment_the_load_fails_leaves_no_error_behind(shelf: Shelf) -> None:
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


async def test_a_request_that_came_before_uses_the_model_again_and_again(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    async with bounded(), pool.lease("a", since=1.0):
        waiting = Lease(pool, "b", since=2.0)
        await settle()
        # Else it would wait for one who waits for it.
        async with pool.lease("a", since=1.0) as model:
            assert model == "A"
        behind = Lease(pool, "a", since=3.0)
        await settle()
        assert granted([waiting, behind]) == [False, False]
    await settle()
    assert granted([waiting, behind]) == [True, False]
    await waiting.end()
    await behind.end()


async def test_who_came_first_is_served_first_however_late_it_asks(shelf: Shelf) -> None:
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


async def test_who_waits_while_another_model_is_loaded_keeps_its_turn(shelf: Shelf) -> None:
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


# ---- loading and unloading, and who comes or goes meanwhile


async def test_a_failed_load_is_told_to_all_who_waited_for_it_and_tried_once(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    (held,) = await leases(pool, "a")
    shelf.broken = {"b"}
    waiting = [asyncio.ensure_future(use(pool, name)) for name in "bab"]
    await settle()
    await held.end()
    first, again, second = await asyncio.gather(*waiting, return_exceptions=True)
    assert (str(first), again, str(second)) == ("b is broken", "A", "b is broken")
    assert shelf.trace == ["load a", "unload a", "load a"]


async def test_a_model_that_turns_out_larger_than_the_limit_is_let_go_and_refused(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=1, b=1)
    shelf.weights["b"] = 3
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="takes 3 bytes"):
            await use(pool, "b")
    # The second time it is known before.
    assert shelf.trace == ["load b", "unload b"]
    assert await use(pool, "a") == "A"


async def test_a_model_that_can_never_fit_is_refused_while_others_wait_for_room(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1, large=2)
    begun = await leases(pool, "ab")
    with pytest.raises(ModelUnavailable, match="takes 2 bytes"):
        await use(pool, "large")
    for one in begun:
        await one.end()


async def test_what_turns_out_larger_than_foretold_makes_idle_ones_go(shelf: Shelf) -> None:
    pool = shelf.pool(4, a=1, b=1, c=1)
    shelf.weights["c"] = 3
    (held,) = await leases(pool, "a")
    await use(pool, "b")
    await use(pool, "c")
    assert shelf.trace[2:] == ["load c", "unload b"]
    await held.end()


async def test_nobody_is_let_into_a_model_that_is_about_to_go_for_another(shelf: Shelf) -> None:
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


async def test_who_comes_while_an_idle_model_is_unloaded_has_it_loaded_again(shelf: Shelf) -> None:
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


async def test_who_came_before_takes_what_was_to_go_while_the_pool_is_busy(shelf: Shelf) -> None:
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


async def test_all_who_wait_hear_of_the_end(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    (held,) = await leases(pool, "a")
    waiting = [asyncio.ensure_future(use(pool, name)) for name in "ba"]
    await settle()
    pool.refuse_all(ModelUnavailable("it is over"))
    assert [str(error) for error in await asyncio.gather(*waiting, return_exceptions=True)] == 2 * [
        "it is over"
    ]
    await held.end()
    assert shelf.trace == ["load a"]


async def test_a_model_whose_load_outlived_who_wanted_it_is_unloaded_in_its_time(shelf: Shelf) -> None:
    pool = shelf.pool(idle_seconds=0.0, a=1)
    shelf.gate.clear()
    (leaving,) = await leases(pool, "a")
    await leaving.leave()
    shelf.gate.set()
    await until(lambda: shelf.trace == ["load a", "unload a"])


async def test_a_model_that_was_preloaded_and_never_used_is_unloaded_in_its_time(shelf: Shelf) -> None:
    pool = shelf.pool(idle_seconds=0.0, a=1, b=1)
    pool.adopt("a", "A", 0.0)
    (held,) = await leases(pool, "b")
    await until(lambda: not pool.loaded("a"))
    await held.end()


async def test_an_unload_that_fails_is_told_to_who_wanted_the_room(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    await use(pool, "a")
    shelf.broken = {"unload a"}
    with pytest.raises(ModelUnavailable, match="unload a is broken"):
        await use(pool, "b")
    assert await use(pool, "b") == "B"


# ---- preloading


async def test_what_was_loaded_before_counts(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=1, b=2, large=3)
    assert pool.fits("a")
    pool.adopt("a", "A", 0.0)
    assert not pool.fits("b")
    with pytest.raises(
        ModelUnavailable, match=r"b cannot be preloaded, 1 bytes are missing .*: preload fewer"
    ):
        pool.check_room("b")
    with pytest.raises(ModelUnavailable, match="large takes 3 bytes"):
        pool.fits("large")
