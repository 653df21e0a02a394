"""Loads and unloads that fail, and closing the pool: who gets the error, and that the rest continues."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from gonogo_server.errors import ModelUnavailable
from server.engine.pool.conftest import leases, settle, use

if TYPE_CHECKING:
    from server.engine.pool.conftest import Shelf

pytestmark = pytest.mark.anyio


async def test_a_failed_load_fails_only_its_requests_and_is_retried(shelf: Shelf) -> None:
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


async def test_an_unknown_model_is_a_bug_of_the_caller(shelf: Shelf) -> None:
    with pytest.raises(KeyError):
        await use(shelf.pool(a=1), "b")


async def test_a_failed_load_fails_all_its_waiters_and_is_tried_once(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    (held,) = await leases(pool, "a")
    shelf.broken = {"b"}
    waiting = [asyncio.ensure_future(use(pool, name)) for name in "bab"]
    await settle()
    await held.end()
    first, again, second = await asyncio.gather(*waiting, return_exceptions=True)
    assert (str(first), again, str(second)) == ("b is broken", "A", "b is broken")
    assert shelf.trace == ["load a", "unload a", "load a"]


async def test_all_waiters_are_notified_of_the_end(shelf: Shelf) -> None:
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


async def test_a_failed_unload_fails_the_request_that_needs_the_room(shelf: Shelf) -> None:
    pool = shelf.pool(1, a=1, b=1)
    await use(pool, "a")
    shelf.broken = {"unload a"}
    with pytest.raises(ModelUnavailable, match="unload a is broken"):
        await use(pool, "b")
    assert await use(pool, "b") == "B"
