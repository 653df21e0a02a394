"""A pool of models that consist of names only, and users of the pool."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from gonogo_server.engine.pool import Pool
from gonogo_server.errors import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

PATIENCE = 30.0
"""Seconds after which a hanging test is stopped; no test waits for this limit."""


class Shelf:
    """Loads names while its gate is open, and records what it does."""

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
            # Must never be unloaded while it is in use.
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
    """Request leases one after the other; each gets as far as it can."""
    begun = []
    for name in names:
        begun.append(Lease(pool, name))
        await settle()
    return begun


def granted(begun: list[Lease]) -> list[bool]:
    return [one.granted for one in begun]


async def until(happened: Callable[[], object]) -> None:
    """Let tasks run until the condition holds."""
    async with bounded():
        while not happened():  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0)


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)
