"""Models are loaded once, by their first user, or were loaded before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from gonogo_server.errors import ModelUnavailable
from server.engine.pool.conftest import settle, use

if TYPE_CHECKING:
    from server.engine.pool.conftest import Shelf

pytestmark = pytest.mark.anyio


async def test_a_model_is_loaded_on_first_use_and_kept(shelf: Shelf) -> None:
    pool = shelf.pool(a=1, b=1)
    assert pool.loaded("a") is None
    assert [await use(pool, "a") for _ in range(3)] == ["A"] * 3
    assert shelf.trace == ["load a"]
    assert (pool.loaded("a"), pool.loaded("b")) == ("A", None)


async def test_requests_during_a_load_wait_for_it(shelf: Shelf) -> None:
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


async def test_a_model_that_was_let_go_is_loaded_again(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    for name in "aba":
        assert await use(pool, name) == name.upper()
    assert shelf.trace == ["load a", "unload a", "load b", "unload b", "load a"]


async def test_without_a_limit_all_stay(shelf: Shelf) -> None:
    pool = shelf.pool(a=10**15, b=10**15)
    for name in "ab":
        await use(pool, name)
    assert shelf.trace == ["load a", "load b"]


async def test_a_model_that_was_loaded_before_is_not_loaded_again_and_not_idle_at_once(shelf: Shelf) -> None:
    pool = shelf.pool(a=1)
    pool.adopt("a", "A", 0.5)
    await pool.unload_idle(3600)
    assert await use(pool, "a") == "A"
    assert shelf.trace == []


async def test_models_that_are_already_loaded_count_against_the_limit(shelf: Shelf) -> None:
    pool = shelf.pool(2, a=1, b=2, large=3)
    assert pool.fits("a")
    pool.adopt("a", "A", 0.0)
    assert not pool.fits("b")
    with pytest.raises(
        ModelUnavailable, match=r"b cannot be preloaded with the others, 1 bytes are missing: preload fewer"
    ):
        pool.check_room("b")
    with pytest.raises(ModelUnavailable, match="large needs 3 bytes"):
        pool.fits("large")
